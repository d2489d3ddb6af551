"""One request and its response, and what is written about them in the log."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, Final

from streamkit.result import RunResult
from streamkit.web.gateway.log import logger, place
from streamkit.web.gateway.refusals import response_to
from streamkit.web.gateway.routes import ELSEWHERE

JSON: Final = "application/json"


class Exchange:
    """One request on its way through the gateway.

    Args:
        scope: The ASGI scope.
        send: ASGI's.

    Attributes:
        headers: Of every response to it: its id, who may read it, and that it is what it says it is.
        id: Its id.
        route: Its path, if the gateway knows it.
        owner: The name of the key's owner.
        pipeline: The name of the pipeline that answers.
        status: Of the response, once it has begun.
        outcome: How the answer ended, or `refused`.
    """

    def __init__(self, scope: MutableMapping[str, Any], send: Callable[[Any], Awaitable[None]]) -> None:
        self.scope = scope
        self._send = send
        self.headers = {"x-content-type-options": "nosniff"}  # what a model says is no page, whatever it looks like
        self.id = ""
        self.route = ELSEWHERE
        self.owner: str | None = None
        self.pipeline: str | None = None
        self.status: int | None = None
        self.outcome = "answered"
        self._started = time.monotonic()
        self._fields: dict[str, Any] = {}
        self._error: Exception | None = None
        self._open = 1

    @property
    def seconds(self) -> float:
        """How long ago it came."""
        return time.monotonic() - self._started

    def send(self, message: Any) -> Awaitable[None]:
        """Send a message of ASGI's, and note the status. No coroutine of its own: it is called for each token."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
        return self._send(message)

    async def respond(self, status: int, content_type: str, body: bytes, headers: Mapping[str, str] = {}) -> None:
        """Send a whole response."""
        fields = {**self.headers, **headers}
        if content_type:
            fields["content-type"] = content_type
        if status != 204:
            fields["content-length"] = str(len(body))
        await self.send({"type": "http.response.start", "status": status, "headers": encoded(fields)})
        await self.send({"type": "http.response.body", "body": b"" if self.scope["method"] == "HEAD" else body})

    async def refuse(self, error: Exception, content_type: str, body: bytes) -> None:
        """Send a refusal, and note why."""
        self.outcome = "refused"
        self._error = error
        response = response_to(error, content_type, body)
        await self.respond(response.status, content_type, body, response.headers)

    def ended(self, result: RunResult, *, stopped: bool) -> None:
        """Note how the answer ended."""
        self.outcome = "stopped" if stopped and result.outcome == "aborted" else result.outcome
        self._error = self._error or result.error
        first = result.timings.first_token
        self._fields = {
            "finish_reason": result.finish_reason,
            "tokens": result.tokens,
            "characters": len(result.text),
            "first_token_ms": None if first is None else round(first * 1000, 1),
        }

    def outlived(self) -> None:
        """Note that its run may go on after the response: `done` is called for both."""
        self._open += 1

    def done(self) -> None:
        """Write its line, once everything about it has ended."""
        self._open -= 1
        if not self._open:
            self._log()

    def _log(self) -> None:
        """Write its line, with the words of an error only in the debug log: they may quote what was asked."""
        error = self._error
        level = _level(self.outcome, self.status or 0)
        if logger.isEnabledFor(level):
            fields = {
                "request_id": self.id,
                "method": self.scope["method"],
                "route": self.route,
                "key": self.owner,
                "pipeline": self.pipeline,
                "status": self.status,
                "outcome": self.outcome,
                "duration_ms": round(self.seconds * 1000, 1),
                **self._fields,
                "error": None if error is None else type(error).__name__,
            }
            if error is not None and logger.isEnabledFor(logging.DEBUG):
                fields |= {"said": str(error), "at": place(error)}
            known = {name: value for name, value in fields.items() if value is not None}
            logger.log(level, "request", extra={"fields": known})


def _level(outcome: str, status: int) -> int:
    """Tell what is somebody's mistake here (5xx, and answers that broke) from what clients do, and from mere looks."""
    if outcome == "failed" and not 400 <= status < 500:
        return logging.ERROR
    if outcome == "answered" and status < 400:
        return logging.DEBUG
    return logging.WARNING if status >= 500 else logging.INFO


def encoded(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    """Return headers as ASGI has them."""
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
