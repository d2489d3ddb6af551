"""One response over ASGI, from its head to its end, for a client that may leave at any moment."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, TypeAlias

import attrs

from streamkit.web._answer import Answer
from streamkit.web._async_body import AsyncBody
from streamkit.web._response import Setup
from streamkit.web._thread import too_slow

Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
RawHeaders: TypeAlias = list[tuple[bytes, bytes]]


@attrs.frozen
class Head:
    """The head of a good answer.

    Args:
        status: HTTP status.
        headers: As ASGI has them.
    """

    status: int
    headers: RawHeaders


async def serve(answer: Answer, setup: Setup, head: Head, receive: Receive, send: Send) -> None:
    """Send one response.

    1. The head waits for the first bytes, so that an error before them has a status of its own.
    2. A client that leaves, at whatever moment, closes the stream at once: no server raises in `send` for it, so that
       `receive` is watched.
    3. Where the protocol has no ending for what happened, the error is raised: the server breaks the connection.
    4. So it does with a client that takes nothing for `send_timeout` seconds, and whose run is over by then.

    Args:
        answer: What to send.
        setup: The stream, and the limits.
        head: The head, if the answer is good.
        receive: ASGI's.
        send: ASGI's.

    Raises:
        SinkError: The client took nothing for too long.
        Exception: See 3.
    """
    body = AsyncBody(answer, setup)
    stall = _Stall(asyncio.current_task(), setup.send_timeout)
    watcher = asyncio.create_task(_watch(receive, body))
    try:
        await body.open()
        refusal = answer.refusal
        if answer.dropped:
            return
        if refusal is not None:
            await send(_start(Head(refusal.status, _replaced(head.headers, refusal.headers))))
            await send({"type": "http.response.body", "body": refusal.body})
            return
        await send(_start(head))
        async for data in body:
            stall.since = body.taken
            await send({"type": "http.response.body", "body": data, "more_body": True})
            stall.since = None
        if not answer.dropped:
            await send({"type": "http.response.body", "body": b""})
    except asyncio.CancelledError:
        if stall.expired and stall.task.uncancel() == 0:
            raise too_slow(setup.send_timeout) from None
        raise
    finally:
        stall.stop()
        watcher.cancel()
        await body.aclose()


class _Stall:
    """Cancels a response that sends the same bytes for too long. One timer for all of them, not one for each.

    Args:
        task: The response's.
        seconds: How long that is.

    Attributes:
        task: The response's.
        since: When the bytes that are being sent were taken; `None` while nothing is.
        expired: Whether it did.
    """

    __slots__ = ("_loop", "_seconds", "_timer", "expired", "since", "task")

    def __init__(self, task: Any, seconds: float) -> None:
        self.task = task
        self._loop = asyncio.get_running_loop()
        self._seconds = seconds
        self._timer = self._loop.call_later(seconds, self._ring)
        self.since: float | None = None
        self.expired = False

    def stop(self) -> None:
        self._timer.cancel()

    def _ring(self) -> None:
        left = self._seconds if self.since is None else self.since + self._seconds - self._loop.time()
        if left > 0:
            self._timer = self._loop.call_later(left, self._ring)
        else:
            self.expired = True
            self.task.cancel()


async def _watch(receive: Receive, body: AsyncBody) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    await body.aclose()


def _start(head: Head) -> Message:
    return {"type": "http.response.start", "status": head.status, "headers": head.headers}


def _replaced(headers: RawHeaders, by: Mapping[str, str]) -> RawHeaders:
    new = {name.encode("latin-1"): value.encode("latin-1") for name, value in by.items()}
    return [*((name, value) for name, value in headers if name.lower() not in new), *new.items()]
