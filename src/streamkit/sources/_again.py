"""The loop behind `Retry` and `Fallback`: ask, and while no token has come, ask again or elsewhere."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import AsyncExitStack, ExitStack, aclosing, asynccontextmanager, contextmanager
from typing import Any, Protocol

from streamkit.errors import FormatError, SourceError
from streamkit.events import Attempt, answers
from streamkit.protocols import Batch, Composable
from streamkit.request import Request
from streamkit.sources._pauses import apause, pause


class Tries(Protocol):
    """The tries of one run.

    Attributes:
        source: What is asked next.
    """

    source: Any

    def failed(self, error: SourceError | FormatError) -> Attempt:
        """Take the failure of a try that brought no token, and set `source` for the next one.

        Returns:
            The failed try, with the seconds to wait before the next.

        Raises:
            StreamkitError: The error itself, when nothing is to be asked any more.
        """
        ...


class Again(Composable):
    """A source made of sources; a recipe says by `_tries` how its tries follow each other."""

    __slots__ = ()

    def _tries(self) -> Tries:
        raise NotImplementedError

    @contextmanager
    def open(self, request: Request) -> Iterator[Iterator[Batch]]:
        """Ask; see `Source.open`."""
        with ExitStack() as opened:
            yield self._batches(request, opened)

    @asynccontextmanager
    async def aopen(self, request: Request) -> AsyncIterator[AsyncIterator[Batch]]:
        """Ask; see `AsyncSource.aopen`."""
        async with AsyncExitStack() as opened, aclosing(self._abatches(request, opened)) as batches:
            yield batches

    def _batches(self, request: Request, opened: ExitStack) -> Iterator[Batch]:
        tries = self._tries()
        while not request.hangup.pulled:
            begun = False
            try:
                for batch in opened.enter_context(tries.source.open(request)):
                    begun = begun or answers(batch)
                    yield batch
            except (SourceError, FormatError) as error:
                if begun:
                    raise
                attempt = tries.failed(error)
            else:
                return
            opened.close()
            yield (attempt,)
            pause(request.hangup, attempt.wait)

    async def _abatches(self, request: Request, opened: AsyncExitStack) -> AsyncGenerator[Batch, None]:
        tries = self._tries()
        while not request.hangup.pulled:
            begun = False
            try:
                async for batch in await opened.enter_async_context(tries.source.aopen(request)):
                    begun = begun or answers(batch)
                    yield batch
            except (SourceError, FormatError) as error:
                if begun:
                    raise
                attempt = tries.failed(error)
            else:
                return
            await opened.aclose()
            yield (attempt,)
            await apause(request.hangup, attempt.wait)
