"""A source that says what it is told, without a server: for tests of transforms, sinks and observers."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterable, Iterator, Sequence
from contextlib import aclosing, asynccontextmanager, closing, contextmanager
from typing import get_args

import attrs

from streamkit.errors import ConfigurationError
from streamkit.events import Event, Finish, FinishReason, Token
from streamkit.protocols import Batch, Composable
from streamkit.request import Request


@attrs.define(eq=False)
class ScriptedSource(Composable):
    """What `replay` returns: a source for both drivers and for any number of runs.

    Args:
        batches: What it yields.
        error: What it raises then.

    Attributes:
        requests: The questions it was asked, in order.
        open_runs: How many runs are reading it now.
    """

    batches: tuple[Batch, ...]
    error: Exception | None = None
    requests: list[Request] = attrs.field(factory=list, init=False, repr=False)
    open_runs: int = attrs.field(default=0, init=False, repr=False)

    @contextmanager
    def open(self, request: Request) -> Iterator[Iterator[Batch]]:
        """Play the script; see `Source.open`."""
        self.requests.append(request)
        self.open_runs += 1
        try:
            with closing(self._play()) as batches:
                yield batches
        finally:
            self.open_runs -= 1

    @asynccontextmanager
    async def aopen(self, request: Request) -> AsyncIterator[AsyncIterator[Batch]]:
        """Play the script; see `AsyncSource.aopen`."""
        with self.open(request) as batches:
            async with aclosing(_alternate(batches)) as alternate:
                yield alternate

    def _play(self) -> Generator[Batch, None, None]:
        yield from self.batches
        if self.error is not None:
            raise self.error


def replay(
    tokens: Iterable[str | Event | Sequence[str | Event]] = (),
    *,
    finish: Finish | FinishReason | None = "eos_token",
    error: Exception | None = None,
) -> ScriptedSource:
    """Return a source that plays tokens and ends as it is told.

        result = (replay(["Hel", "lo"], finish="length") | MyTransform()).run()

    Args:
        tokens: Strings and events, each a batch of its own; those in a list or tuple arrive together.
        finish: How the answer ends: a reason, or a whole `Finish`; `None` for a source that just stops.
        error: What is raised behind the tokens, in place of the end.

    Returns:
        The source, for either driver and any number of runs.

    Raises:
        ConfigurationError: The tokens are one string, or the reason is unknown.
    """
    if isinstance(tokens, str):
        raise ConfigurationError(f"tokens are a list: write replay([{tokens!r}])")
    if isinstance(finish, str) and finish not in get_args(FinishReason):
        raise ConfigurationError(
            f"an answer does not end by {finish!r}: it is one of {', '.join(get_args(FinishReason))}"
        )
    batches = [_batch(item) for item in tokens]
    if finish is not None and error is None:
        batches.append((Finish(reason=finish) if isinstance(finish, str) else finish,))
    return ScriptedSource(tuple(batches), error)


def _batch(item: str | Event | Sequence[str | Event]) -> Batch:
    together = item if isinstance(item, Sequence) and not isinstance(item, str) else (item,)
    return tuple(Token(each) if isinstance(each, str) else each for each in together)


async def _alternate(batches: Iterator[Batch]) -> AsyncGenerator[Batch, None]:
    for batch in batches:
        yield batch
