"""Names of files that hold a field for each run; what a question says is never more than a part of such a name."""

from __future__ import annotations

import re
import secrets
from datetime import UTC, datetime
from pathlib import Path
from string import Formatter
from typing import Final

from streamkit.errors import ConfigurationError
from streamkit.request import Request

FIELDS: Final = ("prompt", "run", "time")

_LONGEST: Final = (
    48  # characters of a question; at four bytes each they leave room in the 255 bytes that a name may have
)
_UNSAFE: Final = re.compile(r"[^\w-]+")
_DEVICES: Final = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)", re.IGNORECASE)  # names that Windows keeps for itself


def fields_of(path: Path) -> set[str]:
    """Return the fields in a path.

    Raises:
        ConfigurationError: One is unknown, or a brace has no partner.
    """
    try:
        found = {
            (name, spec, conversion) for _, name, spec, conversion in Formatter().parse(str(path)) if name is not None
        }
    except ValueError as error:
        raise ConfigurationError(f"the path {str(path)!r} cannot be read: {error} (write {{{{ for a brace)") from None
    for name, spec, conversion in found:
        if name not in FIELDS or spec or conversion:
            known = ", ".join(f"{{{each}}}" for each in FIELDS)
            raise ConfigurationError(
                f"the path {str(path)!r} has a field that is none of {known}: {{{name}}} (write {{{{ for a brace)"
            )
    return {name for name, _, _ in found}


def file_of(path: Path, request: Request) -> Path:
    """Return the path for one run, its fields filled in.

    Args:
        path: A path with fields that `fields_of` has accepted.
        request: The run's question.

    Returns:
        A path of as many parts as the given one.
    """
    now = datetime.now(UTC)
    return Path(
        str(path).format(prompt=_slug(_question(request)), run=secrets.token_hex(6), time=f"{now:%Y%m%dT%H%M%S}Z")
    )


def _question(request: Request) -> str:
    asked = request.prompt if request.messages is None else request.messages[-1].get("content")
    return asked if isinstance(asked, str) else ""


def _slug(text: str) -> str:
    """Return letters, digits and hyphens alone: no separator, no dot, no control character, and no device's name."""
    slug = _UNSAFE.sub("-", text[: 4 * _LONGEST])[:_LONGEST].strip("-")
    return f"{slug}-" if _DEVICES.fullmatch(slug) else slug or "untitled"
