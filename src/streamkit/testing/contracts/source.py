"""The laws of sources."""

from __future__ import annotations

import asyncio
import gc
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import AsyncExitStack, ExitStack, contextmanager
from functools import partial
from typing import Any, Final

import attrs

from streamkit.errors import StreamkitError
from streamkit.events import Event, Finish
from streamkit.protocols import AsyncSource, Source
from streamkit.request import Message, Request
from streamkit.testing.contracts._laws import LawBroken, about, check_events, examine, guarded, written
from streamkit.testing.leaks import NoLeaks

__tracebackhide__ = True  # pytest shows the author's test, and none of this
AGREE: Final = "both drivers are given the same answer"
AGAIN: Final = "a source can be asked again, also while another run reads it"
ENDS: Final = "the Finish is the last event, and there is one at most"
FREES: Final = "leaving the context frees everything: connections, files, threads and tasks"
LAZY: Final = "nothing is asked before the context is entered"
LEAVES: Final = "a consumer may leave at any point, and its own exception is not swallowed"
OPENS: Final = "open() returns a context manager around an iterator of batches (aopen(): their asynchronous twins)"


class _Left(Exception):  # noqa: N818 - it is no error but a consumer that leaves
    """What the consumer of a test raises."""


@attrs.frozen
class _Reading:
    """How a source is read.

    Args:
        awaits: Whether by `aopen`.
        batches: How many batches are taken before the consumer leaves; `None` for all.
        raises: Whether it leaves by an exception.
    """

    awaits: bool
    batches: int | None
    raises: bool

    def __str__(self) -> str:
        how = "by aopen()" if self.awaits else "by open()"
        if self.batches is None:
            return f"read {how} to the end"
        left = "left by an exception" if self.raises else "left"
        return f"read {how} and {left} after {self.batches} batches"


def assert_source_contract(
    source: Source | AsyncSource,
    question: str | Sequence[Message] | Request = "Hello",
    *,
    asked: Callable[[], int] | None = None,
    patience: float = 2.0,
    examples: int = 25,
    **parameters: Any,
) -> None:
    """Hold a source to the laws of sources. It is really asked, so give it a server that answers the same each time.

        with EmulatedEndpoint(["Hel", "lo"]) as server:
            assert_source_contract(MySource(server.url), asked=lambda: len(server.requests))

    Call it from a plain test function, not from a coroutine.

    1. `open` and `aopen`, or one of them, return a context manager; nothing is asked before it is entered.
    2. It yields an iterator of batches: tuples or lists of events, the `Finish` last and once.
    3. A consumer may leave at any point, by an exception too, which is not swallowed; then everything is freed.
    4. It can be asked again, also while another run reads it; both drivers are given the same answer.

    Args:
        source: The source.
        question: What to ask.
        asked: Returns how often the server has been asked so far; without it, laziness is not checked.
        patience: Seconds that connections and threads may take to go once the context is left.
        examples: How many ways of reading to try.
        parameters: Generation parameters.

    Raises:
        LawBroken: A law is broken.
    """
    with about(source):
        from hypothesis import strategies as st

        colours = [awaits for awaits, name in ((False, "open"), (True, "aopen")) if hasattr(source, name)]
        if not colours:
            raise LawBroken(OPENS, "it has neither a method open() nor aopen()")
        ask = partial(Request.of, question, parameters)
        answers = [_read(source, ask(), _Reading(awaits, None, raises=False)) for awaits in colours]
        if answers[0] != answers[-1]:
            raise LawBroken(AGREE, f"open() gives {written(answers[0])}", f"aopen() gives {written(answers[-1])}")
        readings = st.builds(
            _Reading, st.sampled_from(colours), st.none() | st.integers(0, len(answers[0])), st.booleans()
        )
        for awaits in colours:
            _check_lazy(source, ask(), asked, awaits=awaits)
            _check_again(source, ask, answers[0], awaits=awaits)
        examine(lambda reading: _check(source, ask(), reading, patience), readings, examples)


def _check(source: Any, request: Request, reading: _Reading, patience: float) -> None:
    gc.collect()
    try:
        with NoLeaks(patience):
            _read(source, request, reading)
    except LawBroken:
        raise
    except AssertionError as left:
        raise LawBroken(FREES, str(reading), str(left)) from left


@contextmanager
def _nothing_to_collect(how: str) -> Iterator[None]:
    """Find what is left to the garbage collector: it is freed some time, and not when the context is left."""
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always", ResourceWarning)
        yield
        gc.collect()
    for warning in warned:
        if issubclass(warning.category, ResourceWarning):
            raise LawBroken(FREES, how, f"Python had to clean up: {warning.message}")


def _read(source: Any, request: Request, reading: _Reading) -> list[Event]:
    """Read as told, and return the events; every batch is checked."""
    events: list[Event] = []
    try:
        with _nothing_to_collect(str(reading)):
            if reading.awaits:
                asyncio.run(_atake(source, request, reading, events))
            else:
                _take(source, request, reading, events)
    except _Left:
        return events
    except LawBroken:
        raise
    except StreamkitError as error:
        raise LawBroken("the answer of the test arrives", str(reading), f"raised {error!r}") from error
    except Exception as error:
        raise LawBroken(LEAVES, str(reading), f"raised {type(error).__name__}: {error}") from error
    if reading.raises and reading.batches is not None:
        raise LawBroken(LEAVES, str(reading), "the consumer's exception did not come out of the context")
    return events


def _take(source: Any, request: Request, reading: _Reading, events: list[Event]) -> None:
    with _entered(source.open(request), "__enter__") as batches:
        taken = 0
        while reading.batches is None or taken < reading.batches:
            batch = next(batches, None)
            if batch is None:
                break
            _note(events, batch)
            taken += 1
        _leave(reading)


async def _atake(source: Any, request: Request, reading: _Reading, events: list[Event]) -> None:
    others = asyncio.all_tasks()
    try:
        async with _entered(source.aopen(request), "__aenter__") as batches:
            taken = 0
            while reading.batches is None or taken < reading.batches:
                batch = await anext(batches, None)
                if batch is None:
                    break
                _note(events, batch)
                taken += 1
            _leave(reading)
    finally:
        await asyncio.sleep(0)  # a task that has been cancelled ends now
        left = asyncio.all_tasks() - others
        if left:
            names = ", ".join(task.get_name() for task in left)
            raise LawBroken(FREES, str(reading), f"tasks still run: {names}")


def _entered(opened: Any, method: str) -> Any:
    if not hasattr(opened, method):
        raise LawBroken(OPENS, f"it returned {opened!r}, which has no {method}: decorate it with @contextmanager")
    return opened


def _note(events: list[Event], batch: Any) -> None:
    checked = check_events(batch, "the iterator of batches")
    if checked and any(isinstance(event, Finish) for event in [*events, *checked[:-1]]):
        raise LawBroken(ENDS, f"it gave {written([*events, *checked])}")
    events += checked


def _leave(reading: _Reading) -> None:
    if reading.raises and reading.batches is not None:
        raise _Left


def _check_lazy(source: Any, request: Request, asked: Callable[[], int] | None, *, awaits: bool) -> None:
    if asked is None:
        return
    before = asked()
    opened = source.aopen(request) if awaits else source.open(request)
    if asked() != before:
        raise LawBroken(LAZY, f"{'aopen' if awaits else 'open'}() alone asked the server {asked() - before} times")
    del opened


def _check_again(source: Any, ask: Callable[[], Request], answer: list[Event], *, awaits: bool) -> None:
    """Read two runs of one source by turns."""
    how = "two runs by turns"
    with _nothing_to_collect(how):
        both = guarded(AGAIN, lambda: asyncio.run(_aby_turns(source, ask)) if awaits else _by_turns(source, ask), how)
    for events in both:
        if events != answer:
            raise LawBroken(AGAIN, f"alone it gives {written(answer)}", f"beside another run, {written(events)}")


def _by_turns(source: Any, ask: Callable[[], Request]) -> tuple[list[Event], list[Event]]:
    first: list[Event] = []
    second: list[Event] = []
    with ExitStack() as stack:
        runs = [(stack.enter_context(source.open(ask())), events) for events in (first, second)]
        while runs:
            runs = [(batches, events) for batches, events in runs if _more(next(batches, None), events)]
    return first, second


async def _aby_turns(source: Any, ask: Callable[[], Request]) -> tuple[list[Event], list[Event]]:
    first: list[Event] = []
    second: list[Event] = []
    async with AsyncExitStack() as stack:
        runs = [(await stack.enter_async_context(source.aopen(ask())), events) for events in (first, second)]
        while runs:
            runs = [(batches, events) for batches, events in runs if _more(await anext(batches, None), events)]
    return first, second


def _more(batch: Sequence[Event] | None, events: list[Event]) -> bool:
    events += batch or ()
    return batch is not None
