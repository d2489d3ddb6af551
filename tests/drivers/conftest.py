"""Fakes of a source, a transform, a sink and an observer, and `play`: one test body for both drivers.

`play` holds every run it drives to the promises that no ending may break: the grammar of the hooks, one result, a
source that is left once, writers that are closed once.
"""

# ruff: noqa: D102 - the observers' methods are the hooks, described in `hookspecs`
from __future__ import annotations

import asyncio
import re
import threading
from types import SimpleNamespace

import attrs
import pytest
import trio

from streamkit.events import Token
from streamkit.pipeline import Pipeline
from streamkit.protocols import Composable

GRAMMAR = re.compile(r"on_start (on_retry )*((on_token|on_text|on_completion) )*((on_error|on_abort) )?on_final ")


@attrs.define(eq=False)
class Source(Composable):
    """Plays a script: a batch is handed out, an exception is raised, a gate (it has `wait`) is waited at."""

    script: list = attrs.field(factory=list)
    open_error: BaseException | None = None
    close_error: BaseException | None = None
    close_gate: object = None
    swallows: bool = False
    log: list = attrs.field(factory=list)
    requests: list = attrs.field(factory=list)
    entered: int = 0
    exited: int = 0

    def open(self, request):
        """Open for the synchronous driver."""
        return Opened(self, request)

    def aopen(self, request):
        """Open for the asynchronous driver."""
        return self.open(request)


class Opened:
    """One reading of a source, in either colour."""

    def __init__(self, source, request):
        self.source = source
        self.request = request
        self.script = iter(source.script)

    def __enter__(self):
        self.source.requests.append(self.request)
        if self.source.open_error:
            raise self.source.open_error
        self.source.entered += 1
        return self

    def __exit__(self, *_):
        self.source.exited += 1
        self.source.log.append("source closed")
        if self.source.close_error:
            raise self.source.close_error
        return self.source.swallows

    def __iter__(self):
        return self

    def __next__(self):
        item = next(self.script)
        while hasattr(item, "wait"):
            item.wait()
            item = next(self.script)
        if isinstance(item, BaseException):
            raise item
        return item

    async def __aenter__(self):
        return self.__enter__()

    async def __aexit__(self, *error):
        try:
            if self.source.close_gate:
                await self.source.close_gate.wait()
        finally:
            swallowed = self.__exit__(*error)
        return swallowed

    def __aiter__(self):
        return self

    async def __anext__(self):
        for item in self.script:
            if hasattr(item, "wait"):
                await item.wait()
            elif isinstance(item, BaseException):
                raise item
            else:
                return item
        raise StopAsyncIteration


@attrs.frozen(eq=False)
class Transform:
    """A transform made of functions; what it raises is an exception given in their place."""

    feed: object = lambda event: (event,)
    flush: object = tuple
    name: str = "Transform"
    start_error: BaseException | None = None

    def __repr__(self):
        return self.name

    def start(self):
        """Return the machine."""
        if self.start_error:
            raise self.start_error
        return SimpleNamespace(feed=_raiser(self.feed), flush=_raiser(self.flush))


def _raiser(given):
    def fail(*_):
        raise given

    return fail if isinstance(given, BaseException) else given


@attrs.define(eq=False)
class Sink:
    """Counts what is done to its writers, and raises where it is told to."""

    isolated: bool = False
    fails: dict = attrs.field(factory=dict)
    log: list = attrs.field(factory=list)
    events: list = attrs.field(factory=list)
    results: list = attrs.field(factory=list)
    opened: int = 0

    def open(self, request):
        """Return itself as the writer."""
        self._maybe("open")
        self.opened += 1
        return self

    def write(self, event):
        """Keep the event."""
        self._maybe("write")
        self.events.append(event)

    def close(self, result):
        """Keep the result."""
        self.results.append(result)
        self.log.append("sink closed")
        self._maybe("close")

    def _maybe(self, step):
        if step in self.fails:
            raise self.fails[step]


@attrs.define(eq=False)
class AsyncSink:
    """The same, awaiting a gate wherever it is given one."""

    fails: dict = attrs.field(factory=dict)
    gates: dict = attrs.field(factory=dict)
    events: list = attrs.field(factory=list)
    results: list = attrs.field(factory=list)
    opened: int = 0

    def aopen(self, request):
        """Return itself as the writer."""
        self.opened += 1
        return self

    async def awrite(self, event):
        """Keep the event."""
        await self._maybe("write")
        self.events.append(event)

    async def aclose(self, result):
        """Keep the result."""
        self.results.append(result)
        await self._maybe("close")

    async def _maybe(self, step):
        if step in self.gates:
            await self.gates[step].wait()
        if step in self.fails:
            raise self.fails[step]


class Recorder:
    """Observes everything, and raises where it is told to."""

    def __init__(self, fails=None, log=None):
        self.calls = []
        self.fails = fails or {}
        self.log = [] if log is None else log

    @property
    def names(self):
        """The names of the hooks called, in order."""
        return [name for name, _ in self.calls]

    def values(self, wanted):
        """What a hook was called with."""
        return [value for name, value in self.calls if name == wanted]

    def note(self, name, value):
        """Keep a call."""
        self.calls.append((name, value))
        self.log.append(name)
        if name in self.fails:
            raise self.fails[name]

    def assert_grammar(self):
        """Hold the calls to the grammar in the docstring of `hookspecs`."""
        calls = "".join(f"{name} " for name in self.names)
        assert GRAMMAR.fullmatch(calls), calls

    def on_start(self, run, request):
        self.note("on_start", request)

    def on_retry(self, run, attempt):
        self.note("on_retry", attempt)

    def on_token(self, run, token):
        self.note("on_token", token)

    def on_text(self, run, text):
        self.note("on_text", text)

    def on_completion(self, run, completion):
        self.note("on_completion", completion)

    def on_error(self, run, error):
        self.note("on_error", error)

    def on_abort(self, run, reason):
        self.note("on_abort", reason)

    def on_final(self, run, result):
        self.note("on_final", result)


class AsyncRecorder(Recorder):
    """The same with coroutine functions, except for `on_abort`."""

    async def on_start(self, run, request):
        self.note("on_start", request)

    async def on_retry(self, run, attempt):
        self.note("on_retry", attempt)

    async def on_token(self, run, token):
        self.note("on_token", token)

    async def on_text(self, run, text):
        self.note("on_text", text)

    async def on_completion(self, run, completion):
        self.note("on_completion", completion)

    async def on_error(self, run, error):
        self.note("on_error", error)

    async def on_final(self, run, result):
        self.note("on_final", result)


class Gate:
    """A place where an asynchronous run stops for good; `reached` is set when it gets there."""

    def __init__(self, event):
        self.reached = event()
        self._never = event()

    async def wait(self):
        """Stop here."""
        self.reached.set()
        await self._never.wait()


@attrs.define
class Played:
    """What a run came to."""

    stream: object
    source: Source
    recorder: Recorder
    sinks: tuple
    items: list = attrs.field(factory=list)
    raised: BaseException | None = None

    @property
    def result(self):
        """The result, as the stream tells it."""
        return self.stream.result

    def check(self):
        """Hold the run to what no ending may break."""
        assert self.source.entered == self.source.exited <= 1
        if self.recorder.calls:
            self.recorder.assert_grammar()
            assert self.recorder.values("on_final")[0] is self.result
            assert bool(self.recorder.values("on_error")) == (self.result.outcome == "failed")
            assert bool(self.recorder.values("on_abort")) == (self.result.outcome == "aborted")
        for sink in self.sinks:
            assert len(sink.results) == sink.opened <= 1
        return self


def _compose(source, transforms, sinks, callbacks, recorder):
    return Pipeline(source, transforms=transforms, sinks=sinks, callbacks=[*callbacks, recorder])


class SyncDriver:
    """Plays with `stream()`."""

    asynchronous = False
    event = threading.Event

    def play(self, source, *transforms, sinks=(), callbacks=(), recorder=None, body=None, view="events"):
        """Iterate to the end; `body` is the consumer's loop body, and a true answer of it is a `break`."""
        recorder = recorder or Recorder()
        stream = _compose(source, transforms, sinks, callbacks, recorder).stream("Hi")
        played = Played(stream, source, recorder, sinks)
        try:
            with stream:
                for item in stream if view == "text" else getattr(stream, view)():
                    played.items.append(item)
                    if body and body(item):
                        break
        except BaseException as error:  # noqa: BLE001 - the test asks what it was
            played.raised = error
        return played.check()


class AsyncDriver:
    """Plays with `astream()` on one of the event loops."""

    asynchronous = True

    def __init__(self, run, event):
        self.run = run
        self.event = event

    def play(self, *arguments, **options):
        """Iterate to the end, as the synchronous one does."""
        return self.run(self.aplay, *arguments, **options).check()

    async def aplay(self, source, *transforms, sinks=(), callbacks=(), recorder=None, body=None, view="events"):
        """Play inside a loop that runs already."""
        played = self.prepare(source, *transforms, sinks=sinks, callbacks=callbacks, recorder=recorder)
        try:
            await self.consume(played, body, view)
        except Exception as error:  # noqa: BLE001 - the test asks what it was
            played.raised = error
        return played

    def prepare(self, source, *transforms, sinks=(), callbacks=(), recorder=None):
        """Return a run that has not begun."""
        recorder = recorder or Recorder()
        stream = _compose(source, transforms, sinks, callbacks, recorder).astream("Hi")
        return Played(stream, source, recorder, sinks)

    async def consume(self, played, body=None, view="events"):
        """Iterate over a prepared run."""
        stream = played.stream
        async with stream:
            async for item in stream if view == "text" else getattr(stream, view)():
                played.items.append(item)
                if body and body(item):
                    break

    def play_cancelled(self, played, reached, body=None):
        """Consume in a task of its own, which is cancelled when `reached` is set."""
        self.run(self._cancel, played, reached, body)
        return played.check()

    async def _watch(self, played, body):
        try:
            await (body or self.consume)(played)
        except BaseException as error:
            played.raised = error
            raise

    async def _cancel(self, played, reached, body):
        if self.event is trio.Event:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._watch, played, body)
                await reached.wait()
                nursery.cancel_scope.cancel()
            return
        task = asyncio.create_task(self._watch(played, body))
        await reached.wait()
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()


def _on_asyncio(function, *arguments, **options):
    return asyncio.run(function(*arguments, **options))


def _on_trio(function, *arguments, **options):
    async def main():
        return await function(*arguments, **options)

    return trio.run(main)


SYNC = SyncDriver()
ASYNC = {"asyncio": AsyncDriver(_on_asyncio, asyncio.Event), "trio": AsyncDriver(_on_trio, trio.Event)}


@pytest.fixture(params=["sync", *ASYNC])
def driver(request):
    """Each driver in turn, the asynchronous one on both event loops."""
    return SYNC if request.param == "sync" else ASYNC[request.param]


@pytest.fixture(params=list(ASYNC))
def async_driver(request):
    """The asynchronous driver on both event loops."""
    return ASYNC[request.param]


@pytest.fixture
def fakes():
    """The fakes, by name: test folders are no packages to import from."""
    return SimpleNamespace(
        Source=Source,
        Transform=Transform,
        Sink=Sink,
        AsyncSink=AsyncSink,
        Recorder=Recorder,
        AsyncRecorder=AsyncRecorder,
        Gate=Gate,
    )


@pytest.fixture
def hello():
    """A script of two batches of tokens, without an end."""
    return [[Token("Hel")], [Token("lo"), Token("!")]]
