"""genai-processors: processors joined by `+`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Callable

from genai_processors import content_api, processor, streams

from benchmarks._job import Cleaner, Counter
from streamkit import Token


@processor.processor_function
async def clean(content: AsyncIterable[content_api.ProcessorPart]) -> AsyncIterator[str]:
    """Clean the text."""
    cleaner = Cleaner()
    async for part in content:
        shown = cleaner.feed(part.text)
        if shown:
            yield shown
        if cleaner.done:
            return
    yield cleaner.flush()


def job(tokens: list[Token]) -> Callable[[], tuple[int, str]]:
    """Return the job; the parts are made beforehand."""
    parts = [content_api.ProcessorPart("" if token.special else token.text) for token in tokens]

    async def ask() -> tuple[int, str]:
        counter = Counter()

        @processor.processor_function
        async def count(content: AsyncIterable[content_api.ProcessorPart]) -> AsyncIterator[content_api.ProcessorPart]:
            async for part in content:
                counter.on_text(part.text)
                yield part

        kept = [part.text async for part in (clean + count)(streams.stream_content(parts))]
        return counter.count, "".join(kept)

    return lambda: asyncio.run(ask())
