"""pydantic-ai: an agent on a function model, its text streamed by deltas."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

from pydantic_ai import Agent
from pydantic_ai.messages import ModelMessage  # noqa: TC002 - the library reads the annotations
from pydantic_ai.models.function import AgentInfo, FunctionModel

from benchmarks._job import Cleaner, Counter
from streamkit import Token


def job(tokens: list[Token]) -> Callable[[], tuple[int, str]]:
    """Return the job."""

    async def say(_: list[ModelMessage], __: AgentInfo) -> AsyncIterator[str]:
        for token in tokens:
            yield "" if token.special else token.text

    agent = Agent(FunctionModel(stream_function=say))

    async def ask() -> tuple[int, str]:
        counter, cleaner, kept = Counter(), Cleaner(), []
        async with agent.run_stream("Go on.") as result:
            async for text in result.stream_text(delta=True, debounce_by=None):
                shown = cleaner.feed(text)
                if shown:
                    counter.on_text(shown)
                    kept.append(shown)
        kept.append(cleaner.flush())
        return counter.count, "".join(kept)

    return lambda: asyncio.run(ask())
