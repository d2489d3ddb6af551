"""The page's files, as they are: no build step, and nothing from anywhere else."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Final

ASSETS: Final[Mapping[str, tuple[str, str]]] = {
    "/": ("page.html", "text/html; charset=utf-8"),
    "/playground/page.css": ("page.css", "text/css; charset=utf-8"),
    "/playground/page.js": ("page.js", "text/javascript; charset=utf-8"),
    "/playground/view.js": ("view.js", "text/javascript; charset=utf-8"),
}
"""File name and content type by path."""

HEADERS: Final[Mapping[str, str]] = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "referrer-policy": "no-referrer",
    "cache-control": "no-cache",
}
"""Of all of them. A model may say what it likes: nothing that it says can be run, or asked for from another place."""


@cache
def read(name: str) -> bytes:
    """Return a file of the page."""
    return files("streamkit.web.playground").joinpath(name).read_bytes()
