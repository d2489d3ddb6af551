"""What all streams of Text Generation Inference have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from streamkit.testing.emulator.answers import Answer


class TgiAnswer(Answer):
    """An answer with TGI's streaming headers, and its comment after every 15 seconds of silence (axum's keep-alive)."""

    headers: ClassVar[Mapping[str, str]] = {
        "cache-control": "no-cache",
        "x-compute-type": "emulated",
        "X-Accel-Buffering": "no",
    }
    keep_alive = (15.0, b":\n\n")


class StreamedError(TgiAnswer):
    """A refused stream: the headers said 200 before anything was checked, so the error is an event.

    Args:
        events: The error event, and what follows it.
    """

    def __init__(self, *events: bytes) -> None:
        super().__init__(iter(()), stream=True)
        self._events = events

    def closing(self) -> Sequence[bytes]:
        """Return the error."""
        return self._events
