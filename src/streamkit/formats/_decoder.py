"""What all decoders share: frames to wire objects to events, with errors and endings kept as state."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Final, Generic, TypeVar

from streamkit.errors import FormatError, LimitExceededError, StreamkitError, TruncatedStreamError
from streamkit.events import Event
from streamkit.formats._failures import failure, named_failure
from streamkit.formats._framing import Frame, Framing
from streamkit.formats._json import UNREADABLE, excerpt, repair

MAX_ANSWER_BYTES: Final = 256 * 1024 * 1024
"""Bytes of one response. A million of TGI's tokens fit in; what goes on beyond that would only fill the memory."""

Wire = TypeVar("Wire")


class EventDecoder(Generic[Wire]):
    """The state of reading one response; a dialect fills in `_read` and `_end_mark`, and the ends that it has.

    1. Holds back nothing but an unfinished frame, and whatever a dialect says it holds.
    2. Releases the events of a frame with the chunk that completes it.
    3. Stops at the dialect's last event, or at the first thing wrong, which it keeps in `error`: events decoded
       before it in the same chunk are still returned, nothing is decoded after it, and nothing is ever raised.
    4. Costs one msgspec decode per frame on top of the framing.

    Args:
        decode: Bytes of one frame to the dialect's wire object; a msgspec decoder's `decode`.
        framing: The framing of the dialect.
        limit: Bound of one frame, in bytes; that of all of them is `MAX_ANSWER_BYTES`.

    Attributes:
        complete: True once the protocol's own end mark was seen and nothing was wrong.
        error: What is wrong with the stream, once something is.
    """

    __slots__ = ("_decode", "_ended", "_foreign", "_framing", "_left", "_limit", "complete", "error")

    _end_mark: ClassVar[str]
    """What ends this dialect's streams, for the message about a stream without it."""

    def __init__(self, decode: Callable[[bytes], Wire], framing: Callable[[int], Framing], limit: int) -> None:
        self._decode = decode
        self._framing = framing(limit)
        self._limit = limit
        self._left = MAX_ANSWER_BYTES
        self._foreign = 0
        self._ended = False
        self.complete = False
        self.error: StreamkitError | None = None

    def feed(self, chunk: bytes) -> list[Event]:
        """Take a chunk, however it was cut, and return the events it completes."""
        events: list[Event] = []
        if not self._ended:
            self._left -= len(chunk)
            self._take(self._framing.feed(chunk), events)
            if self._left < 0 and not self._ended:
                self._fail(LimitExceededError(f"the answer is larger than {MAX_ANSWER_BYTES} bytes, and goes on"))
            elif self._framing.exceeded and not self._ended:
                self._fail(LimitExceededError(f"an event is larger than max_event_bytes, {self._limit} bytes"))
        return events

    def flush(self, *, clean: bool = True) -> list[Event]:
        """The body has ended: return the last events, with the `Finish` last if the stream is complete.

        Args:
            clean: False when the connection broke: an event without its terminator is then dropped, not read.
        """
        events: list[Event] = []
        if clean and not self._ended:
            self._take(self._framing.flush(), events, terminated=False)
        if not self._ended and self.complete:
            self._finish(events)
        elif not self._ended:
            self._fail(TruncatedStreamError(self._truncation()))
        self._ended = True
        return events

    def _read(self, wire: Wire, payload: bytes, events: list[Event]) -> None:
        """Add the events of one frame; call `_unfamiliar(payload)` for a frame with nothing of this dialect."""
        raise NotImplementedError

    def _finish(self, events: list[Event]) -> None:
        """Add the `Finish` of a dialect that is `complete` before it, because it holds the `Finish` back."""
        raise NotImplementedError

    def _done(self, events: list[Event]) -> None:
        """Take the sentinel `[DONE]`, which is not an end mark in every dialect."""

    def _take(self, frames: list[Frame], events: list[Event], *, terminated: bool = True) -> None:
        decode, read = self._decode, self._read
        for offset, payload, failed in frames:
            if failed:
                self._fail(named_failure(payload))
                return
            wire: Wire | None
            try:
                wire = decode(payload)
            except UNREADABLE as refusal:
                wire = self._second_look(offset, payload, events, refusal if terminated else None)
            if wire is not None:
                read(wire, payload, events)
            if self._ended:
                return

    def _second_look(self, offset: int, payload: bytes, events: list[Event], refusal: Exception | None) -> Wire | None:
        """Read a frame that the strict decoder refused; half a frame at the end of the body is passed over."""
        sentinel = payload.strip()
        if sentinel == b"[DONE]":
            self._done(events)
            return None
        if not sentinel:
            return None
        try:
            return self._decode(repair(payload))
        except (*UNREADABLE, ValueError):
            error: StreamkitError | None = failure(payload)
            if error is None and refusal is not None:
                error = FormatError(f"the event at byte {offset} cannot be read ({refusal}): {excerpt(payload)}")
            if error is not None:
                self._fail(error)
            return None

    def _unfamiliar(self, payload: bytes) -> None:
        """Take a frame with nothing of this dialect in it: an error report, or a thing to pass over."""
        self._foreign += 1
        error = failure(payload)
        if error is not None:
            self._fail(error)

    def _truncation(self) -> str:
        message = f"the stream ended without {self._end_mark}"
        if self._foreign:
            message += f" ({self._foreign} of its events were not in this format)"
        return message

    def _fail(self, error: StreamkitError) -> None:
        self.error = error
        self.complete = False
        self._ended = True
