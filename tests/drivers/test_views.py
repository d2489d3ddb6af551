"""What a stream shows of a run, and when."""

import pytest

from drivers import fakes
from streamkit.errors import (
    ConfigurationError,
    SourceError,
)
from streamkit.events import Token
from streamkit.pipeline import Pipeline


def test_the_result_is_refused_while_the_run_goes_on(driver, hello):
    """A result that could still change would be no result."""
    pipeline = Pipeline(fakes.Source(hello))

    async def ask():
        async with pipeline.astream("Hi") as stream:
            async for _ in stream:
                with pytest.raises(ConfigurationError, match="has not ended"):
                    stream.result

    if driver.asynchronous:
        driver.run(ask)
    else:
        with pipeline.stream("Hi") as stream:
            for _ in stream:
                with pytest.raises(ConfigurationError, match="has not ended"):
                    stream.result


def test_a_second_loop_goes_on_and_after_the_end_there_is_nothing(driver, hello):
    """A stream is one iterator, as a file is: nothing is asked twice."""
    source = fakes.Source(hello)
    pipeline = Pipeline(source)

    async def twice():
        async with pipeline.astream("Hi") as stream:
            first = await anext(aiter(stream))
            return first, [text async for text in stream], [text async for text in stream], stream.result

    if driver.asynchronous:
        first, rest, more, result = driver.run(twice)
    else:
        with pipeline.stream("Hi") as stream:
            first, rest, more, result = next(iter(stream)), list(stream), list(stream), stream.result
    assert (first, rest, more) == ("Hel", ["lo", "!"], [])
    assert result.outcome == "completed"
    assert len(source.requests) == 1


def test_after_a_failure_there_is_nothing_to_iterate_and_closing_is_quiet(driver):
    """The error is raised once; leaving the block does not raise it again."""
    pipeline = Pipeline(fakes.Source([[Token("a")], SourceError("broken")]))

    async def again():
        async with pipeline.astream("Hi") as stream:
            with pytest.raises(SourceError):
                [text async for text in stream]
            more = [text async for text in stream]
        await stream.aclose()
        return more, stream.result

    if driver.asynchronous:
        more, result = driver.run(again)
    else:
        with pipeline.stream("Hi") as stream:
            with pytest.raises(SourceError):
                list(stream)
            more = list(stream)
        stream.close()
        result = stream.result
    assert more == []
    assert (result.outcome, result.text) == ("failed", "a")


def test_views_differ_only_in_what_they_pick(driver):
    """Text is the non-empty text of the answer's channel, tokens are all tokens, events are everything."""
    tokens = [Token("a"), Token("", id=5, special=True), Token("hm", channel="reasoning"), Token("b")]
    got = {
        view: driver.play(fakes.Source([[*tokens, fakes.END]]), view=view).items
        for view in ("text", "tokens", "events")
    }
    assert got == {"text": ["a", "b"], "tokens": tokens, "events": [*tokens, fakes.END]}


class SecondReader:
    """Comes while the stream waits for its source."""

    def __init__(self, view, *, asynchronous):
        self.view = view
        self.wait = self.acome if asynchronous else self.come
        self.stream = None
        self.raised = None

    def come(self):
        """Read."""
        try:
            iter(self.stream) if self.view == "text" else getattr(self.stream, self.view)()
        except ConfigurationError as error:
            self.raised = error

    async def acome(self):
        """Read."""
        try:
            reading = aiter(self.stream) if self.view == "text" else getattr(self.stream, self.view)()
            if self.view == "finish":
                await reading
        except ConfigurationError as error:
            self.raised = error


@pytest.mark.parametrize("view", ["text", "tokens", "events", "finish"])
def test_a_second_reader_is_refused_and_the_first_goes_on(driver, view):
    """A stream has one reader; the other is told so, whichever way it would read."""
    second = SecondReader(view, asynchronous=driver.asynchronous)
    pipeline = Pipeline(fakes.Source([[Token("a")], second, [Token("b")]]))

    def read():
        with pipeline.stream("Hi") as second.stream:
            return list(second.stream)

    async def aread():
        async with pipeline.astream("Hi") as second.stream:
            return [text async for text in second.stream]

    assert (driver.run(aread) if driver.asynchronous else read()) == ["a", "b"]
    assert "is being read elsewhere" in str(second.raised)
