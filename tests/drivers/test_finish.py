"""Reading the rest of a stream for its sinks and hooks alone."""

import pytest

from streamkit import Collect, Pipeline, StreamkitError, Token, TruncatedStreamError, from_iterable

TOKENS = [Token("a"), Token("b"), Token("c")]


def broken():
    """Break off after one token."""
    yield Token("a")
    raise TruncatedStreamError("cut")


def test_the_rest_goes_to_sinks_and_hooks():
    """What was iterated over before, and what was not, is the same to them."""
    sink, heard = Collect(), []

    def on_text(text):
        heard.append(text)

    parts = Pipeline(from_iterable(TOKENS), sinks=(sink,), callbacks={"on_text": on_text})
    with parts.stream("Hi") as stream:
        assert next(iter(stream)) == "a"
        result = stream.finish()
    assert result.text == "abc"
    assert heard == ["a", "b", "c"]
    assert [event.text for event in sink.runs[0].events[:-1]] == heard


async def test_the_asynchronous_twin_does_the_same():
    """Also with a hook that awaits."""
    heard = []

    async def on_text(text):
        heard.append(text)

    async with Pipeline(from_iterable(TOKENS), callbacks={"on_text": on_text}).astream("Hi") as stream:
        assert await anext(aiter(stream)) == "a"
        result = await stream.finish()
    assert result.text == "abc"
    assert heard == ["a", "b", "c"]


def test_every_one_of_several_sinks_and_hooks_gets_every_event():
    """The loop over several gives what the way without one gives."""
    sinks, heard = (Collect(), Collect()), []
    callbacks = [{"on_text": lambda text: heard.append(text * 2)}, {"on_text": lambda text: heard.append(text.upper())}]
    result = Pipeline(from_iterable(TOKENS), sinks=sinks, callbacks=callbacks).run("Hi")
    assert heard == ["aa", "A", "bb", "B", "cc", "C"]
    assert sinks[0].runs[0].events == sinks[1].runs[0].events
    assert result.text == "abc"


def test_a_failure_is_raised():
    """With the text so far in its result."""
    with Pipeline(from_iterable(broken())).stream("Hi") as stream, pytest.raises(StreamkitError, match="cut") as caught:
        stream.finish()
    assert caught.value.result.text == "a"


def test_a_finished_stream_gives_its_result_again():
    """There is nothing left to read."""
    with Pipeline(from_iterable(TOKENS)).stream("Hi") as stream:
        assert stream.finish() is stream.finish()
