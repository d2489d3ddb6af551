"""Stop sequences as hints: the answer ends with the token that completes one."""

from __future__ import annotations

from collections.abc import Iterable


class StopHints:
    """Looks for stop sequences in the text as it grows; it cuts nothing, as that is the pipeline's to do.

    Args:
        stops: The sequences.
    """

    __slots__ = ("_keep", "_stops", "_tail")

    def __init__(self, stops: Iterable[str]) -> None:
        self._stops = tuple(filter(None, stops))
        self._keep = max(map(len, self._stops), default=1) - 1  # characters that the start of a sequence may be in
        self._tail = ""

    def find(self, text: str) -> str | None:
        """Return the sequence that more text completes, the earliest one."""
        if not self._stops:
            return None
        self._tail += text
        places = ((self._tail.find(stop), stop) for stop in self._stops)
        found = min(((place, stop) for place, stop in places if place >= 0), default=None)
        self._tail = self._tail[max(0, len(self._tail) - self._keep) :]
        return found[1] if found else None
