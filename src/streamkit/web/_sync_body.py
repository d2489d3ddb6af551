"""The body of a response under WSGI: `_async_body.py` again, with a thread that reads while this one waits."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, Self

from streamkit.web._answer import Answer
from streamkit.web._response import Setup
from streamkit.web._thread import ThreadReader

LOOK: Final = 0.25
"""Seconds between two looks at whether the client is still there, where the server lets us look."""


class SyncBody:
    """The body of one response, to be iterated once.

    1. `open` reads the stream until there is something to send, and `answer.refusal` tells then whether that is an
       error; a source that is silent for the keep-alive interval opens it as well.
    2. Iterating gives everything that was said since the last piece, and keep-alives where nothing was.
    3. Stops at the end, raises what must break the connection, and stops without a word once it is closed or the client
       has left.
    4. Costs one thread.

    Args:
        answer: What to send.
        setup: The stream, and the limits in seconds.
        gone: Tells whether the client has left, where one can know.
    """

    def __init__(self, answer: Answer, setup: Setup, gone: Callable[[], bool] | None = None) -> None:
        self._answer = answer
        self._setup = setup
        self._gone = gone
        self._reader = ThreadReader(setup.stream, answer, setup.send_timeout)
        self._last = time.monotonic()

    def open(self) -> None:
        """Begin to read, and wait until it is known what the response is.

        Raises:
            Exception: There is no response, not even a refusal.
        """
        self._reader.start()
        self._wait()
        self._answer.check()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        answer = self._answer
        self._wait()
        data = answer.take()
        self._last = time.monotonic()
        if data:
            return data
        if answer.failure is not None and not answer.dropped:
            raise answer.failure
        raise StopIteration

    def close(self) -> None:
        """Leave the stream; after the end it does nothing."""
        self._reader.close()

    def _wait(self) -> None:
        answer = self._answer
        while True:
            if answer.wait_for(lambda: answer.ready, self._patience()):
                return
            if self._gone is not None and self._gone():
                self.close()
            elif self._setup.pings and time.monotonic() - self._last >= self._setup.keep_alive:
                answer.keep_alive()

    def _patience(self) -> float | None:
        """Return how many seconds to wait for something to send before a look around."""
        waits = [LOOK] if self._gone is not None else []
        if self._setup.pings:
            waits.append(max(0.01, self._last + self._setup.keep_alive - time.monotonic()))
        return min(waits, default=None)
