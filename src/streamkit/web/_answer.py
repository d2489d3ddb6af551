"""What one response has to say: the place where whoever reads the stream and whoever sends the bytes meet."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Final

import attrs

from streamkit.errors import GenerationError, SinkError, StreamkitError
from streamkit.events import Event
from streamkit.protocols import Encoder
from streamkit.result import RunResult
from streamkit.web._statuses import Refusal, refusal

logger = logging.getLogger("streamkit.web")

HIGH_WATER: Final = 64 * 1024
"""Bytes that may wait for a slow client before its source is no longer read."""

WRITER_LIMIT: Final = 1024 * 1024
"""Bytes that may wait before the application's own parts are refused."""


class Answer:
    """The bytes of one response, in order; safe to use from any thread.

    1. Holds what was not sent yet; `full` asks the reader of the stream to wait.
    2. Is open from the first bytes on. An error before that becomes a `refusal`, with a status of its own.
    3. Ends once: by `end`, with the protocol's ending; by `cut`, without one; or by `drop`, when the client has left.
       Of what is said after that, nothing is kept.
    4. Costs one lock and one append per event; what was said since the last `take` leaves as one piece. Threads that
       wait are only notified if there are any: on an event loop nobody waits here.

    Args:
        encoder: Writes the protocol.

    Attributes:
        wake: Called, from whichever thread it was, when there is something to send.
        opened: True once there were bytes to send.
        ended: True once there will be no more.
        dropped: True once the client has left.
        refusal: What to answer instead of a stream.
        failure: Why the connection must be broken after the last byte.
    """

    __slots__ = (
        "_changed",
        "_chunks",
        "_encoder",
        "_lock",
        "_size",
        "_waiting",
        "dropped",
        "ended",
        "failure",
        "opened",
        "refusal",
        "wake",
    )

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._chunks: list[bytes] = []
        self._size = 0
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._waiting = 0  # threads
        self.wake: Callable[[], None] = _nobody
        self.opened = False
        self.ended = False
        self.dropped = False
        self.refusal: Refusal | None = None
        self.failure: Exception | None = None

    @property
    def full(self) -> bool:
        """Whether the reader of the stream should wait for the client."""
        return self._size >= HIGH_WATER

    @property
    def ready(self) -> bool:
        """Whether there is something to send, or nothing more to come."""
        return bool(self._chunks) or self.ended

    def wait_for(self, happened: Callable[[], bool], seconds: float | None) -> bool:
        """Wait in a thread until something has happened; return whether it has.

        Args:
            happened: Looks at this answer, which does not change meanwhile.
            seconds: How long to wait at most; for ever, if `None`.
        """
        with self._lock:
            self._waiting += 1
            try:
                return self._changed.wait_for(happened, seconds)
            finally:
                self._waiting -= 1

    def feed(self, event: Event) -> None:
        """Take an event that left the chain."""
        data = self._encoder.feed(event)
        if data:
            self.say(data)

    def keep_alive(self) -> None:
        """Say nothing, in the protocol's words; a response that had not begun begins."""
        self.say(self._encoder.keep_alive)

    def say(self, data: bytes, *, limit: int | None = None) -> None:
        """Add bytes, which are whole messages of the protocol.

        Args:
            data: The bytes.
            limit: Most bytes that may be waiting already.

        Raises:
            SinkError: As much as that is waiting.
        """
        with self._lock:
            if self.ended:
                return
            if limit is not None and self._size >= limit:
                raise SinkError(f"the client reads too slowly: {self._size} bytes are waiting for it")
            self._add(data)
        self.wake()

    def take(self) -> bytes:
        """Return what is waiting, and make room."""
        with self._lock:
            data = b"".join(self._chunks)
            self._chunks.clear()
            self._size = 0
            self._notify()
        return data

    def end(self, result: RunResult, error: Exception | None = None) -> None:
        """The run has ended: say how.

        Args:
            result: How the run ended.
            error: What went wrong besides, in sending.
        """
        if self.ended:
            return
        if error is not None and result.error is None:
            result = attrs.evolve(result, outcome="failed", error=error)
        if result.error is not None:
            _log(result.error)
        try:
            self._end(result)
        except Exception as unexpected:  # noqa: BLE001 - the application's own mask may raise anything
            _log(unexpected)
            self.cut(unexpected)

    def cut(self, error: Exception | None = None) -> None:
        """There is no more, for a reason that no protocol has an ending for; after an end it does nothing."""
        with self._lock:
            if not self.ended:
                self.failure = error or StreamkitError("the run was interrupted")
                self._finish()
        self.wake()

    def check(self) -> None:
        """Raise what keeps the response from beginning, if something does."""
        if self.failure is not None and not self.opened and not self.dropped:
            raise self.failure

    def drop(self) -> None:
        """The client has left: forget what it did not take."""
        with self._lock:
            self.dropped = True
            self._chunks.clear()
            self._size = 0
            self._finish()
        self.wake()

    def _end(self, result: RunResult) -> None:
        last = self._encoder.close(result)
        failure = result.error or _failure(result)
        with self._lock:
            if not self.opened and (last is None or result.outcome == "failed"):
                self.refusal = refusal(failure, *self._encoder.refuse(failure))
            elif last is None:
                self.failure = failure
            else:
                self._add(last)
            self._finish()
        self.wake()

    def _add(self, data: bytes) -> None:
        if not self.opened:
            self.opened = True
            data = self._encoder.begin() + data
        if data:
            self._chunks.append(data)
            self._size += len(data)
        self._notify()

    def _notify(self) -> None:
        if self._waiting:
            self._changed.notify_all()

    def _finish(self) -> None:
        self.ended = True
        self._notify()


def _nobody() -> None:
    """Wake nobody: the response has not begun."""


def _failure(result: RunResult) -> StreamkitError:
    if result.outcome == "aborted":
        return StreamkitError("the stream was stopped before its end")
    return GenerationError(f"the engine ended the answer with {result.raw_reason!r}")


def _log(error: Exception) -> None:
    """Log an error that the client is told little of; the traceback of one that is nobody's expected failure, too."""
    unexpected = None if isinstance(error, StreamkitError) else error
    logger.error("a streaming response failed: %s: %r", type(error).__name__, str(error), exc_info=unexpected)
