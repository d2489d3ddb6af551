"""The reference: the smallest ASGI application that sends ready-made events at a pace, on uvicorn as users have it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from functools import cache
from typing import Any

import uvicorn

from benchmarks.server.wire import asked, ending, events

START = {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]}


@cache
def ready(count: int) -> list[bytes]:
    """Return the events of an answer, the ending last; their time is zero, as nothing is written here."""
    return [*(event % 0 for event in events("tgi", count)), ending("tgi", (0,) * count)]


async def app(_scope: Any, receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]) -> None:
    """Answer any request."""
    question = asked((await receive())["body"])
    loop = asyncio.get_running_loop()
    due = loop.time()
    await send(START)
    for event in ready(question.tokens):
        due += 1 / question.rate
        await asyncio.sleep(due - loop.time())
        await send({"type": "http.response.body", "body": event, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


if __name__ == "__main__":
    uvicorn.run(app, port=int(sys.argv[1]), log_level="warning", access_log=False, lifespan="off")
