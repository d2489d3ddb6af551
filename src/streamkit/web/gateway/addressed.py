"""What a request is addressed to: a page, a route that answers, an answer that is kept, or nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from streamkit.web.gateway import resuming
from streamkit.web.gateway.asked import Dialect
from streamkit.web.gateway.routes import ANSWERS, ELSEWHERE, PAGES, split

PLAIN = ANSWERS["/"]
"""Says no where there is no protocol."""


@attrs.frozen
class Addressed:
    """The path of a request, read.

    Args:
        path: Of the route, without the name of a pipeline.
        pipeline: The pipeline that the path begins with, if it does.
        kept: The answer that is kept, where it is one.
    """

    path: str
    pipeline: str | None
    kept: resuming.Place | None

    @property
    def methods(self) -> tuple[str, ...]:
        """What can be asked there; nothing where there is nothing."""
        if self.kept is not None:
            return (resuming.METHODS[self.kept.action],)
        return ("GET",) * (self.path in PAGES) + ("POST",) * (self.path in ANSWERS)

    @property
    def name(self) -> str:
        """What logs and metrics call it."""
        if self.kept is not None:
            return f"{self.kept.route}/ID/{self.kept.action}"
        return self.path if self.methods else ELSEWHERE

    @property
    def dialect(self) -> Dialect:
        """The protocol in which its clients are told no."""
        return ANSWERS.get(self.path if self.kept is None else self.kept.route, PLAIN)


def address(scope: Mapping[str, Any], pipelines: Mapping[str, object], *, resumable: bool) -> Addressed:
    """Read the path of a request.

    Args:
        scope: ASGI's; where a framework has mounted the gateway, its path may begin with that place.
        pipelines: By name.
        resumable: Whether answers are kept.
    """
    root, path = scope.get("root_path", "").rstrip("/"), scope["path"]
    if root and f"{path}/".startswith(f"{root}/"):
        path = path[len(root) :] or "/"
    pipeline, path = split(path, pipelines)
    return Addressed(path, pipeline, resuming.place_of(path) if resumable else None)
