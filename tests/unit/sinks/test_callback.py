"""The sink that calls a function, in either colour."""

import functools

import attrs
import pytest

from streamkit.errors import ConfigurationError, SinkError
from streamkit.events import Finish, Token
from streamkit.pipeline import Pipeline
from streamkit.sinks import Callback


class _Scripted:
    """A source of both colours."""

    def open(self, request):
        return self

    def aopen(self, request):
        return self

    def __enter__(self):
        return iter([[Token("Hel"), Token("", special=True, raw="<s>")], [Token("lo"), Finish()]])

    def __exit__(self, *exc):
        return None

    async def __aenter__(self):
        async def batches():
            for batch in self.__enter__():
                yield batch

        return batches()

    async def __aexit__(self, *exc):
        return None


def test_a_function_gets_each_piece_of_text():
    """Hidden tokens and the finish do not call it."""
    texts = []

    Pipeline(_Scripted(), sinks=[Callback(texts.append)]).run("Hello")

    assert texts == ["Hel", "lo"]


def test_a_function_gets_every_event_on_request():
    """Everything that leaves the chain is handed over, the finish last."""
    events = []

    Pipeline(_Scripted(), sinks=[Callback(events.append, on="event")]).run("Hello")

    assert events == [Token("Hel"), Token("", special=True, raw="<s>"), Token("lo"), Finish()]


async def test_a_plain_function_works_in_an_asynchronous_run():
    """The same sink serves both drivers."""
    texts = []

    await Pipeline(_Scripted(), sinks=[Callback(texts.append)]).arun("Hello")

    assert texts == ["Hel", "lo"]


class _Awaited:
    def __init__(self):
        self.seen = []

    async def __call__(self, value):
        self.seen.append(value)

    async def method(self, value):
        self.seen.append(value)


@pytest.mark.parametrize("on", ["text", "event"])
@pytest.mark.parametrize(
    "function_of",
    [lambda each: each, lambda each: each.method, lambda each: functools.partial(each.method)],
    ids=["callable object", "method", "partial"],
)
async def test_a_coroutine_function_is_awaited(on, function_of):
    """Coroutine functions of every make are awaited in an asynchronous run."""
    awaited = _Awaited()

    await Pipeline(_Scripted(), sinks=[Callback(function_of(awaited), on=on)]).arun("Hello")

    assert awaited.seen[0] == ("Hel" if on == "text" else Token("Hel"))
    assert len(awaited.seen) == (2 if on == "text" else 4)


def test_a_coroutine_function_is_refused_in_a_synchronous_run():
    """The message says what to do, before anything is asked."""
    pipeline = Pipeline(_Scripted(), sinks=[Callback(_Awaited().method)])

    with pytest.raises(ConfigurationError, match=r"works only asynchronously: use astream\(\) or arun\(\)"):
        pipeline.run("Hello")


def test_a_callback_is_a_value():
    """Recipes with the same settings are equal, print their settings and can be varied."""
    sink = Callback(print, isolated=True)

    assert sink == Callback(print, isolated=True)
    assert repr(sink) == f"Callback(function={print!r}, on='text', isolated=True)"
    assert attrs.evolve(sink, on="event").on == "event"
    assert hash(sink)


@pytest.mark.parametrize("arguments", [{"function": "print"}, {"function": print, "on": "token"}])
def test_impossible_settings_are_refused(arguments):
    """A slip is found at construction."""
    with pytest.raises(ConfigurationError, match="a callback is"):
        Callback(**arguments)


@pytest.mark.parametrize("on", ["text", "event"])
async def test_a_plain_function_that_returns_a_coroutine_is_refused_in_either_run(on, recwarn):
    """Nobody would await it, and the run would pass for complete without having delivered anything."""

    async def send(piece):
        raise AssertionError("it does not run")

    def plain(piece):
        return send(piece)

    pipeline = Pipeline(_Scripted(), sinks=[Callback(plain, on=on)])

    with pytest.raises(SinkError, match="returned a coroutine, which nobody awaits: write it with `async def`"):
        pipeline.run("Hello")
    with pytest.raises(SinkError, match="returned a coroutine"):
        await pipeline.arun("Hello")
    assert not recwarn.list
