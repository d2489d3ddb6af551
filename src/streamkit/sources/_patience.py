"""When to stop waiting: the deadlines of one answer, kept by both transports."""

from __future__ import annotations

import time
from typing import Final

from streamkit.errors import StreamTimeoutError
from streamkit.sources.timeouts import Timeouts

FAREWELL: Final = 2.0
"""Seconds to wait for `[DONE]`, a usage chunk or the end of the body once the answer has said that it is finished."""


class Patience:
    """The deadline of what is awaited now, in seconds of `time.monotonic`, and what to say when it has passed.

    Args:
        timeouts: The limits.
        where: The server, for messages.
    """

    __slots__ = ("_end", "_farewell", "_limit", "_timeouts", "_what", "_where", "deadline")

    def __init__(self, timeouts: Timeouts, where: str) -> None:
        self._timeouts = timeouts
        self._where = where
        self._end = time.monotonic() + timeouts.total
        self._farewell: float | None = None
        self._await("no first token", timeouts.first_token)

    def token_came(self) -> None:
        """Something of the answer arrived: from now on the next token is awaited."""
        self._await("no further token", self._timeouts.between_tokens)

    def pause(self) -> None:
        """The consumer has the word; how long it takes is not the server's fault, and only counts for the total."""
        self.deadline = self._end

    def answer_finished(self) -> None:
        """The answer is complete; only its farewell is awaited, and nothing that comes meanwhile prolongs it."""
        if self._farewell is None:
            self._await("no end", FAREWELL)
            self._farewell = self.deadline
        self.deadline = self._farewell

    def until(self) -> float:
        """Return the seconds to the deadline; not above 0 when it has passed."""
        return self.deadline - time.monotonic()

    def left(self) -> float:
        """Return the seconds to the deadline.

        Raises:
            StreamTimeoutError: It has passed.
        """
        left = self.until()
        if left <= 0:
            raise self.error()
        return left

    def error(self) -> StreamTimeoutError:
        """Return the error of a deadline that has passed."""
        if self.deadline == self._end:
            return StreamTimeoutError(
                f"the answer of {self._where} was not finished after {self._timeouts.total:g} s: raise "
                "Timeouts(total=...) if it may take longer"
            )
        name = "first_token" if self._what == "no first token" else "between_tokens"
        return StreamTimeoutError(
            f"{self._what} came from {self._where} for {self._limit:g} s: the server is stuck, or raise "
            f"Timeouts({name}=...)"
        )

    def _await(self, what: str, limit: float) -> None:
        self._what = what
        self._limit = limit
        self.deadline = min(time.monotonic() + limit, self._end)
