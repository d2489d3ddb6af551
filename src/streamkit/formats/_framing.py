"""What a framing hands to a decoder, and the plainest framing: one JSON value per line."""

from __future__ import annotations

from typing import Protocol, TypeAlias

from streamkit.formats._lines import LineSplitter

Frame: TypeAlias = tuple[int, bytes, bool]
"""Offset in the body in bytes, payload, and whether the framing itself marks the payload as an error."""


class Framing(Protocol):
    """Bytes in, frames out; a frame over the bound ends the framing with `exceeded` set, frames before it stand."""

    @property
    def exceeded(self) -> bool:
        """True once a line or event was larger than the bound."""
        ...

    def feed(self, chunk: bytes) -> list[Frame]:
        """Return the frames that this chunk completes."""
        ...

    def flush(self) -> list[Frame]:
        """The body ended cleanly: return the frame that was left without its terminator, if there is one."""
        ...


class JsonLines:
    """NDJSON: each non-empty line is a frame.

    1. Holds back the unfinished last line.
    2. Releases a line at its end.
    3. Stops at a line over the bound.
    4. Costs what `LineSplitter` costs.
    """

    __slots__ = ("_lines",)

    def __init__(self, limit: int) -> None:
        self._lines = LineSplitter(limit)

    @property
    def exceeded(self) -> bool:
        """True once a line was larger than the bound."""
        return self._lines.exceeded

    def feed(self, chunk: bytes) -> list[Frame]:
        """Return the lines that end in this chunk."""
        return [(offset, line, False) for offset, line in self._lines.feed(chunk) if line]

    def flush(self) -> list[Frame]:
        """Return the last line if it was left without its end."""
        return [(offset, line, False) for offset, line in self._lines.flush()]
