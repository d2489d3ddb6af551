"""Any iterator as a source: what huggingface_hub's client yields, plain strings, or events."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Iterable, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager
from typing import Any

import attrs
import msgspec

from streamkit.errors import ConfigurationError
from streamkit.events import Attempt, Finish, Token, ToolCallDelta
from streamkit.formats import OpenAIChat, Tgi
from streamkit.protocols import Batch, Composable, Decoder
from streamkit.request import Request


def from_iterable(items: Iterable[Any] | AsyncIterable[Any]) -> IterableSource | AsyncIterableSource:
    """Make a source of an iterator.

    Items may be huggingface_hub's `TextGenerationStreamOutput` or `ChatCompletionStreamOutput`, strings, or events.
    What huggingface_hub yields is judged as the wire it came from: if it stops before its end mark, the run fails
    with `TruncatedStreamError`, although the client itself ended silently.

    Args:
        items: A synchronous iterable, for both drivers, or an asynchronous one.

    Returns:
        A source for one run, or for any number if `items` can be iterated again.

    Raises:
        ConfigurationError: `items` is a string or cannot be iterated.
    """
    if isinstance(items, AsyncIterable):
        return AsyncIterableSource(items)
    if isinstance(items, str | bytes) or not isinstance(items, Iterable):
        raise ConfigurationError(
            f"an object of type {type(items).__name__!r} is not a stream: pass an iterator of tokens or strings"
        )
    return IterableSource(items)


class _Reader:
    """The state of reading one iterator: items of the hub's client go back through the decoder of their wire."""

    __slots__ = ("_decoder",)

    def __init__(self) -> None:
        self._decoder: Decoder | None = None

    def read(self, item: Any) -> Batch:
        kind = type(item)
        if kind is Token or kind is ToolCallDelta or kind is Finish or kind is Attempt:
            return (item,)
        if isinstance(item, str):
            return (Token(str.__str__(item)),) if item else ()
        if self._decoder is None:
            if hasattr(item, "token"):
                self._decoder = Tgi().decoder()
            elif hasattr(item, "choices"):
                self._decoder = OpenAIChat().decoder()
            else:
                raise ConfigurationError(
                    f"an item of type {kind.__name__!r} is neither an output of huggingface_hub, a string nor an event"
                )
        return self._decoder.feed(b"data: " + msgspec.json.encode(dict(item)) + b"\n\n")

    def check(self) -> None:
        if self._decoder is not None and self._decoder.error is not None:
            raise self._decoder.error

    def end(self) -> Batch:
        return () if self._decoder is None else self._decoder.flush()


class _OneUse(Composable):
    """An iterator is its own iterator: it can be read by one run only."""

    __slots__ = ()

    def _refuse_second(self, iterator: Any, items: Any, used: list[bool]) -> None:
        if iterator is items:
            if used:
                raise ConfigurationError("this iterator has been read by a run already: make a new one for each run")
            used.append(True)


@attrs.frozen(eq=False)
class IterableSource(_OneUse):
    """A synchronous iterable, read by either driver; see `from_iterable`."""

    items: Iterable[Any]
    _used: list[bool] = attrs.field(factory=list, init=False, repr=False)

    @contextmanager
    def open(self, request: Request) -> Iterator[Iterator[Batch]]:  # noqa: ARG002 - the iterator has been asked already
        """Read the iterator, and close it if it can be closed; see `Source.open`."""
        iterator = iter(self.items)
        self._refuse_second(iterator, self.items, self._used)
        try:
            yield _batches(iterator)
        finally:
            getattr(iterator, "close", _nothing)()

    @asynccontextmanager
    async def aopen(self, request: Request) -> AsyncIterator[AsyncIterator[Batch]]:
        """Read the iterator, and close it if it can be closed; see `AsyncSource.aopen`."""
        with self.open(request) as batches:
            async with aclosing(_alternate(batches)) as alternate:
                yield alternate


@attrs.frozen(eq=False)
class AsyncIterableSource(_OneUse):
    """An asynchronous iterable, read by the asynchronous driver; see `from_iterable`."""

    items: AsyncIterable[Any]
    _used: list[bool] = attrs.field(factory=list, init=False, repr=False)

    @asynccontextmanager
    async def aopen(self, request: Request) -> AsyncIterator[AsyncIterator[Batch]]:  # noqa: ARG002 - as above
        """Read the iterator, and close it if it can be closed; see `AsyncSource.aopen`."""
        iterator = aiter(self.items)
        self._refuse_second(iterator, self.items, self._used)
        try:
            async with aclosing(_abatches(iterator)) as batches:
                yield batches
        finally:
            await getattr(iterator, "aclose", _anothing)()


# The batches are lists: a tuple that an asynchronous generator hands on costs an exception object besides.
def _batches(iterator: Iterator[Any]) -> Iterator[Batch]:
    reader = _Reader()
    for item in iterator:
        if type(item) is Token:
            yield [item]
        else:
            yield reader.read(item)
            reader.check()
    yield reader.end()
    reader.check()


async def _abatches(iterator: AsyncIterator[Any]) -> AsyncGenerator[Batch, None]:
    reader = _Reader()
    async for item in iterator:
        if type(item) is Token:
            yield [item]
        else:
            yield reader.read(item)
            reader.check()
    yield reader.end()
    reader.check()


async def _alternate(batches: Iterator[Batch]) -> AsyncGenerator[Batch, None]:
    for batch in batches:
        yield batch


def _nothing() -> None:
    """Close an iterator that cannot be closed."""


async def _anothing() -> None:
    """Close an asynchronous iterator that cannot be closed."""
