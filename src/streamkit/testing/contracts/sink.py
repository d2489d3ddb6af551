"""The laws of sinks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

import attrs

from streamkit.errors import SinkError
from streamkit.events import Event, Finish
from streamkit.pipeline import Pipeline
from streamkit.protocols import AsyncSink, Sink
from streamkit.request import Request
from streamkit.result import RunResult
from streamkit.run import Run
from streamkit.testing.contracts._endings import ENDINGS, Ending, halved, settled
from streamkit.testing.contracts._laws import LawBroken, about, check_frozen, examine, guarded, written
from streamkit.testing.contracts._streams import pairs, streams
from streamkit.testing.scripted import replay

__tracebackhide__ = True  # pytest shows the author's test, and none of this
APART: Final = "each run has a writer of its own, and runs at the same time do not mix"
CLOSES: Final = "close() is called once, however the run ends, and does not raise"
ISOLATED: Final = "`isolated` is True or False, and a run goes by it"
OPENS: Final = "open() returns a writer with write() and close() (aopen(): one with awrite() and aclose())"
WRITES: Final = "a writer takes any event without raising: half a character and an empty text too"


@attrs.frozen
class _Written:
    """One run that a sink is given."""

    events: list[Event]
    ending: Ending

    def result(self) -> RunResult:
        run = Run(Request(prompt="Hello"), ())
        for event in self.events:
            run.feed(event)
        return settled(run, self.ending)

    def __str__(self) -> str:
        return f"{written(self.events)}, {self.ending}"


def assert_sink_contract(
    sink: Sink | AsyncSink, *, texts: Callable[[], Sequence[str]] | None = None, examples: int = 100
) -> None:
    """Hold a sink to the laws of sinks. It is really written to, by about two hundred runs.

        assert_sink_contract(JsonLines(tmp_path / "answers.jsonl"))

    1. The recipe is frozen, and each `open(request)` gives a run a writer of its own.
    2. A writer takes any event and any end of a run without raising.
    3. Runs at the same time do not mix.
    4. `isolated`, if there is one, is a boolean that a run goes by.

    Call it from a plain test function, not from a coroutine.

    Args:
        sink: The sink; one that writes a file must add to it.
        texts: Returns the texts of the runs that have ended, in the order of their ends; without it, it is not checked
            that they arrive and do not mix.
        examples: How many runs to try.

    Raises:
        LawBroken: A law is broken; the message has the smallest run that shows it.
    """
    with about(sink):
        from hypothesis import strategies as st

        check_frozen(sink)
        awaits = not hasattr(sink, "open")
        if awaits and not hasattr(sink, "aopen"):
            raise LawBroken(OPENS, "it has neither a method open() nor aopen()")
        events = st.builds(_with_finish, streams((), surrogates=True), st.booleans())
        runs = st.builds(_Written, events, st.sampled_from(ENDINGS))
        check = partial(_check, sink, texts, awaits)
        examine(check, runs, examples)
        examine(lambda both: check(*both), pairs(runs), examples // 2 or 1)
        _check_isolated(sink, awaits=awaits)


def _with_finish(events: list[Event], ends: bool) -> list[Event]:
    return [*events, Finish(reason="eos_token")] if ends else events


def _check(sink: Any, texts: Callable[[], Sequence[str]] | None, awaits: bool, *runs: _Written) -> None:
    """Write one run, or two by turns."""
    results = [run.result() for run in runs]
    asyncio.run(_write(sink, runs, results, awaits=awaits))
    if texts is not None:
        arrived, sent = [*texts()[-len(runs) :]], [result.text for result in results]
        if arrived != sent and not halved("".join(sent)):  # half a character is stored as each store can
            raise LawBroken(APART, *map(str, runs), f"the texts that arrived: {arrived!r}")


async def _write(sink: Any, runs: Sequence[_Written], results: Sequence[RunResult], *, awaits: bool) -> None:
    writers = [_writer(sink, awaits=awaits) for _ in runs]
    for step in range(max(len(run.events) for run in runs)):
        for run, (write, _) in zip(runs, writers, strict=True):
            if step < len(run.events):
                await _called(write, run.events[step], WRITES, run)
    for run, (_, close), result in zip(runs, writers, results, strict=True):
        await _called(close, result, CLOSES, run)


def _writer(sink: Any, *, awaits: bool) -> tuple[Callable[[Event], Any], Callable[[RunResult], Any]]:
    request = Request(prompt="Hello")

    def methods() -> tuple[Callable[[Event], Any], Callable[[RunResult], Any]]:
        writer = sink.aopen(request) if awaits else sink.open(request)
        return (writer.awrite, writer.aclose) if awaits else (writer.write, writer.close)

    return guarded(OPENS, methods)


async def _called(method: Callable[[Any], Any], value: Any, law: str, run: _Written) -> None:
    try:
        returned = method(value)
        if hasattr(returned, "__await__"):
            await returned
    except Exception as error:
        shown = written([value])[1:-1] if not isinstance(value, RunResult) else "its result"
        raise LawBroken(law, f"run: {run}", f"given {shown}, it raised {type(error).__name__}: {error}") from error


def _check_isolated(sink: Any, *, awaits: bool) -> None:
    """Break a writer in the middle of a run: only that of an isolated sink may go unnoticed."""
    isolated = getattr(sink, "isolated", False)
    if not isinstance(isolated, bool):
        raise LawBroken(ISOLATED, f"it is {isolated!r}")
    breaking: Any = _Breaking(sink, awaits)
    pipeline = Pipeline(replay(["Hel", "lo"]), sinks=[breaking])
    try:
        asyncio.run(pipeline.arun("Hello"))
    except SinkError as error:
        if isolated:
            raise LawBroken(ISOLATED, "it is True, and yet a failing writer failed the run") from error
    else:
        if not isolated:
            raise LawBroken(ISOLATED, "it is not True, and yet a failing writer did not fail the run")
    if breaking.closed != 1:
        raise LawBroken(CLOSES, f"the engine closed a failing writer {breaking.closed} times")


@attrs.define
class _Breaking:
    """A sink whose writers raise at the first event; everything else is the sink's own."""

    sink: Any
    awaits: bool
    closed: int = 0

    @property
    def isolated(self) -> Any:
        return getattr(self.sink, "isolated", False)

    def __getattr__(self, name: str) -> Any:
        if name == ("aopen" if self.awaits else "open"):
            return self._open
        raise AttributeError(name)

    def _open(self, request: Request) -> _BreakingWriter:
        writer = self.sink.aopen(request) if self.awaits else self.sink.open(request)
        return _BreakingWriter(self, writer)


@attrs.define
class _BreakingWriter:
    breaking: _Breaking
    writer: Any

    def write(self, _event: Event) -> None:
        raise OSError("the test breaks it")

    async def awrite(self, event: Event) -> None:
        self.write(event)

    def close(self, result: RunResult) -> None:
        self.breaking.closed += 1
        self.writer.close(result)

    async def aclose(self, result: RunResult) -> None:
        self.breaking.closed += 1
        await self.writer.aclose(result)
