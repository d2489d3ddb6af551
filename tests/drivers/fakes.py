"""Fakes of a source, a transform, sinks and observers."""

# ruff: noqa: D102 - the observers' methods are the hooks, described in `hookspecs`
from __future__ import annotations

import re
from types import SimpleNamespace

import attrs

from streamkit.events import Finish, Token, Usage
from streamkit.protocols import Composable

END = Finish(reason="eos_token", usage=Usage(completion_tokens=3))
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


def stop_at(text):
    """Return a transform that ends the answer at a token."""

    def feed(event):
        return (Token("last"), Finish(reason="stop_sequence", stop=text)) if event.text == text else (event,)

    return Transform(feed, AssertionError("a machine that ended the stream is not flushed"))


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
