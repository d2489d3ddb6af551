"""A log as a response over ASGI: for a client that may leave at any moment, and costs the run nothing by it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, Final, TypeAlias

from streamkit.stores import LogReader
from streamkit.web.resumable.reading import stream_bytes

Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]

_HEADERS: Final = {"cache-control": "no-cache, no-transform", "x-accel-buffering": "no"}
"""Against proxies that buffer; the log's own headers win."""


async def respond(
    reader: LogReader,
    headers: Mapping[str, str],
    receive: Receive,
    send: Send,
    *,
    check: Callable[[], object] = lambda: None,
    keep_alive: float = 15.0,
    send_timeout: float = 60.0,
) -> None:
    """Send what a log has and what comes, to its end.

    1. The head waits for the first entries, or for the first silence.
    2. A client that leaves, or takes nothing for too long, ends its reading and nothing else.
    3. Where the format has no word for how the stream ended, `TruncatedStreamError` is raised: the server breaks the
       connection.

    Args:
        reader: The log.
        headers: Of the response, besides those of the log; names in lower case.
        receive: ASGI's.
        send: ASGI's.
        check: Called once there is something to send; raises if the response is to be another.
        keep_alive: Seconds of silence after which to say so.
        send_timeout: Seconds that a client may take nothing.

    Raises:
        TruncatedStreamError: See 3.
        StoreError: The store failed.
        TimeoutError: The client took nothing for too long.
    """
    head = {**_HEADERS, **reader.head.headers, **headers}
    body = stream_bytes(reader, keep_alive=keep_alive)

    async def sending() -> None:
        try:
            data = await anext(body, b"")
        finally:
            check()
        encoded = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in head.items()]
        await send({"type": "http.response.start", "status": 200, "headers": encoded})
        while data:
            async with asyncio.timeout(send_timeout):
                await send({"type": "http.response.body", "body": data, "more_body": True})
            data = await anext(body, b"")
        await send({"type": "http.response.body", "body": b""})

    tasks = asyncio.ensure_future(sending()), asyncio.ensure_future(_left(receive))
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    if not tasks[0].cancelled():
        tasks[0].result()


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
