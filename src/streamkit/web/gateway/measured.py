"""A pipeline's source with a stopwatch: when tokens arrived, and how long it took to hand them on."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Final

import attrs

from streamkit.errors import ConfigurationError
from streamkit.events import answers
from streamkit.protocols import Batch
from streamkit.request import Request
from streamkit.web.gateway.metrics import PipelineMetrics
from streamkit.web.gateway.refusals import RefusalError

UNSUITABLE: Final = "The pipeline's model does not take this request: one of its parameters is unknown there."


@attrs.frozen(eq=False)
class Measured:
    """A source that is measured.

    The driver asks for the next batch once all of the last one has passed the chain and the encoder. So the time from a
    batch to the next request for one is what the gateway adds to a token before its bytes are ready; where a client
    reads slower than the model writes, it is the time that the client takes.

    Args:
        source: The pipeline's, an `AsyncSource`.
        metrics: Where it is counted.
    """

    source: Any
    metrics: PipelineMetrics

    @asynccontextmanager
    async def aopen(self, request: Request) -> AsyncIterator[AsyncIterator[Batch]]:
        """Ask the question; see `AsyncSource.aopen`."""
        asked = time.monotonic()
        async with AsyncExitStack() as stack:
            try:
                batches = await stack.enter_async_context(self.source.aopen(request))
            except ConfigurationError as error:
                # What is asked came from the client, and the rest of the pipeline was there before it.
                raise RefusalError(UNSUITABLE, 400) from error
            yield _Batches(batches, self.metrics, asked)


class _Batches:
    """The batches of one answer. No generator: it would cost a frame per token, and hold what it is suspended in."""

    __slots__ = ("_arrived", "_asked", "_metrics", "_next")

    def __init__(self, batches: AsyncIterator[Batch], metrics: PipelineMetrics, asked: float) -> None:
        self._next = batches.__anext__
        self._metrics = metrics
        self._asked = asked
        self._arrived = 0.0

    def __aiter__(self) -> Any:
        return self

    async def __anext__(self) -> Batch:
        metrics, arrived = self._metrics, self._arrived
        if arrived:
            metrics.added.observe(time.monotonic() - arrived)
        batch = await self._next()
        now = time.monotonic()
        if arrived:
            metrics.gaps.observe(now - arrived)
            self._arrived = now
        elif answers(batch):
            metrics.first_token.observe(now - self._asked)
            self._arrived = now
        return batch
