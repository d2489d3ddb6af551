"""aiostream: operators on asynchronous streams, joined by `|`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Callable

from aiostream import pipable_operator, pipe, stream, streamcontext

from benchmarks._job import Cleaner, Counter
from streamkit import Token


@pipable_operator
async def clean(source: AsyncIterable[str]) -> AsyncIterator[str]:
    """Clean the text."""
    cleaner = Cleaner()
    async with streamcontext(source) as streamer:
        async for text in streamer:
            shown = cleaner.feed(text)
            if shown:
                yield shown
            if cleaner.done:
                return
    yield cleaner.flush()


def job(tokens: list[Token]) -> Callable[[], tuple[int, str]]:
    """Return the job."""

    async def ask() -> tuple[int, str]:
        counter = Counter()
        xs = (
            stream.iterate(tokens)
            | pipe.filter(lambda token: not token.special)
            | pipe.map(lambda token: token.text)
            | clean.pipe()
            | pipe.action(counter.on_text)
            | pipe.list()
        )
        return counter.count, "".join(await xs)

    return lambda: asyncio.run(ask())
