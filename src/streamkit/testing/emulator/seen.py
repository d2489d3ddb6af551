"""What an endpoint saw: the requests that arrived, for tests to look at from any thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import Any

import attrs


@attrs.define(eq=False, kw_only=True)
class SeenRequest:
    """One request and what became of it; filled in by the server's thread while it answers.

    Its `repr` shows neither headers nor body, so neither an assertion nor a log gives away a key or a prompt.

    Args:
        method: `"GET"`, `"POST"`, ...
        path: Path without the query.
        query: Query string without its question mark.
        headers: Request headers; names in any case find them.
        body: The parsed JSON body; `None` when there is none or it is not JSON.
        number: Which `POST` of its endpoint it is, from 1; 0 for another method.
        started: When it arrived, by `time.monotonic()`, in seconds.
        finished: When the server was done with it, by the same clock; `None` before.
        tokens_sent: Tokens given to the connection so far; counted before the bytes leave.
        answer_complete: True once a generated answer went out whole, its end mark included.
        error: What a test's own `script` or `respond` function raised.
        client_left: Set when the client closed the connection before the answer was complete.
        done: Set when the server is done with the request, in whatever way.
    """

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = attrs.field(repr=False, factory=dict)
    body: Any = attrs.field(repr=False, default=None)
    number: int = attrs.field(repr=False, default=0)
    started: float = attrs.field(repr=False, factory=time.monotonic)
    finished: float | None = attrs.field(repr=False, default=None)
    tokens_sent: int = 0
    answer_complete: bool = False
    error: Exception | None = None
    client_left: threading.Event = attrs.field(repr=False, factory=threading.Event)
    done: threading.Event = attrs.field(repr=False, factory=threading.Event)


class RequestLog:
    """All requests of an endpoint in order of arrival; safe to use from any thread."""

    def __init__(self) -> None:
        self._seen: list[SeenRequest] = []
        self._waited_for = 0
        self._arrival = threading.Condition()

    def add(self, request: SeenRequest) -> None:
        """Record a request and wake whoever waits for one."""
        with self._arrival:
            self._seen.append(request)
            self._arrival.notify_all()

    def snapshot(self) -> list[SeenRequest]:
        """Return the requests so far, in a list of the caller's own."""
        with self._arrival:
            return list(self._seen)

    def next(self, timeout: float) -> SeenRequest:
        """Return the oldest request that no earlier call returned, waiting for it if need be.

        Args:
            timeout: Seconds to wait.

        Raises:
            TimeoutError: No further request arrived.
        """
        with self._arrival:
            if not self._arrival.wait_for(lambda: len(self._seen) > self._waited_for, timeout):
                raise TimeoutError(f"request number {self._waited_for + 1} did not arrive within {timeout} s")
            self._waited_for += 1
            return self._seen[self._waited_for - 1]
