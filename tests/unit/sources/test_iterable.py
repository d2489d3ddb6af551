"""Any iterator as a source."""

import asyncio
import gc

import pytest
import trio

from streamkit import (
    Attempt,
    ConfigurationError,
    Finish,
    Pipeline,
    Token,
    ToolCallDelta,
    TruncatedStreamError,
    from_iterable,
)


class Words:
    """An iterable in both colours that can be read any number of times."""

    def __iter__(self):
        return iter(["one", "", " two"])


class AsyncWords:
    """The asynchronous one."""

    async def __aiter__(self):
        for word in Words():
            yield word


LOOPS = {
    "asyncio": lambda pipeline: asyncio.run(pipeline.arun("Hi")),
    "trio": lambda pipeline: trio.run(pipeline.arun, "Hi"),
}


@pytest.fixture(params=["sync", *LOOPS])
def run(request):
    """Return a function that runs a source to its end, in the colour that it has."""

    def run(items):
        pipeline = Pipeline(from_iterable(items))
        return pipeline.run("Hi") if request.param == "sync" else LOOPS[request.param](pipeline)

    return run


async def alternate(items):
    """Yield items asynchronously."""
    for item in items:
        yield item


class TestItems:
    """What an iterator may yield."""

    def test_strings_are_tokens(self, run):
        """Empty ones are nothing."""
        result = run(["one", "", " two"])
        assert (result.text, result.tokens, result.outcome) == ("one two", 2, "completed")

    def test_text_may_be_of_a_class_of_its_own(self, run):
        """What a token holds is plain text, whatever the class makes of `str()`."""

        class Word(str):
            __slots__ = ()

            def __str__(self):
                return "something else"

        result = run([Word("one"), Word(""), Word(" two")])
        assert (result.text, result.tokens) == ("one two", 2)

    def test_a_failed_try_is_an_event_too(self, run):
        """It comes before the first token, and is none."""
        result = run([Attempt(number=1, error="busy", wait=0.0), "a"])
        assert (result.text, result.tokens) == ("a", 1)

    def test_events_are_themselves(self, run):
        """The end has its reason."""
        result = run([Token("a", 1), ToolCallDelta(name="f"), Finish(reason="length")])
        assert (result.text, result.finish_reason, result.tool_calls[0].name) == ("a", "length", "f")

    def test_anything_else_is_refused(self, run):
        """The message says what it was."""
        with pytest.raises(ConfigurationError, match="an item of type 'int' is neither"):
            run([7])

    def test_what_the_iterator_raises_is_raised(self, run):
        """It is the caller's own."""

        def items():
            yield "one"
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            run(items())

    @pytest.mark.parametrize("items", ["text", b"bytes", 7, None])
    def test_what_is_no_iterator_is_refused_at_once(self, items):
        """A string would be played letter by letter."""
        with pytest.raises(ConfigurationError, match="pass an iterator"):
            from_iterable(items)

    @pytest.mark.parametrize("loop", LOOPS)
    def test_an_asynchronous_iterable_is_one_too(self, loop):
        """For the asynchronous driver."""
        assert LOOPS[loop](Pipeline(from_iterable(AsyncWords()))).text == "one two"

    def test_an_asynchronous_iterable_has_no_synchronous_run(self):
        """The message says what to call."""
        with pytest.raises(ConfigurationError, match="astream"):
            Pipeline(from_iterable(AsyncWords())).run("Hi")


class TestHubOutputs:
    """Objects of huggingface_hub's client are judged as the wire they came from."""

    @pytest.fixture
    def types(self):
        """The hub's types."""
        import huggingface_hub

        return huggingface_hub

    def generation(self, types, **fields):
        """Return one event of a generation."""
        raw = {"index": 1, "token": {"id": 1, "text": "a", "logprob": -0.5, "special": False}, **fields}
        return types.TextGenerationStreamOutput.parse_obj_as_instance(raw)

    def chunk(self, types, text, reason=None):
        """Return one chunk of a chat."""
        choice = {"index": 0, "delta": {"role": "assistant", "content": text}, "finish_reason": reason}
        raw = {"choices": [choice], "created": 1, "id": "", "model": "m", "system_fingerprint": ""}
        return types.ChatCompletionStreamOutput.parse_obj_as_instance(raw)

    def test_a_generation_ends_with_its_text(self, run, types):
        """With the reason that TGI gives."""
        details = {"finish_reason": "length", "generated_tokens": 2, "input_length": 1, "seed": None}
        last = self.generation(types, generated_text="aa", details=details)
        result = run([self.generation(types), last])
        assert (result.text, result.finish_reason, result.usage.completion_tokens) == ("aa", "length", 2)

    def test_a_generation_that_stops_before_is_truncated(self, run, types):
        """The client itself ends silently."""
        with pytest.raises(TruncatedStreamError) as caught:
            run([self.generation(types)])
        assert caught.value.result.text == "a"

    def test_a_chat_ends_with_its_reason(self, run, types):
        """There is no end mark besides."""
        result = run([self.chunk(types, "a"), self.chunk(types, "b", "stop")])
        assert (result.text, result.finish_reason) == ("ab", "eos_token")

    def test_a_chat_that_stops_before_is_truncated(self, run, types):
        """The client itself ends silently."""
        with pytest.raises(TruncatedStreamError) as caught:
            run([self.chunk(types, "a")])
        assert caught.value.result.text == "a"


class TestUse:
    """How often an iterable can be read."""

    def test_an_iterator_is_read_by_one_run(self, run):
        """A second run would get nothing, and call it an answer."""
        items = iter(["one"])
        source = from_iterable(items)
        assert Pipeline(source).run("Hi").text == "one"
        with pytest.raises(ConfigurationError, match="read by a run already"):
            Pipeline(source).run("Hi")

    def test_an_asynchronous_iterator_is_read_by_one_run(self):
        """The same for it."""
        pipeline = Pipeline(from_iterable(alternate(["one"])))
        assert asyncio.run(pipeline.arun("Hi")).text == "one"
        with pytest.raises(ConfigurationError, match="read by a run already"):
            asyncio.run(pipeline.arun("Hi"))

    def test_what_can_be_iterated_again_can_be_run_again(self):
        """A list, or an object that makes iterators."""
        for items in (["one", " two"], Words()):
            pipeline = Pipeline(from_iterable(items))
            assert pipeline.run("Hi").text == pipeline.run("Hi").text == "one two"


class TestLeaving:
    """The consumer leaves early."""

    def test_a_generator_is_closed(self):
        """At once, although somebody holds it."""
        closed = []

        def items():
            try:
                yield from ["one", "two"]
            finally:
                closed.append(True)

        held = items()
        with Pipeline(from_iterable(held)).stream("Hi") as stream:
            next(iter(stream))
        assert closed == [True]

    @pytest.mark.parametrize("loop", ["asyncio", "trio"])
    @pytest.mark.parametrize("awaits", [True, False])
    def test_an_asynchronous_run_closes_it_too(self, loop, awaits):
        """And leaves no generator to be finalised by the loop."""
        closed = []

        async def items():
            try:
                yield "one"
                yield "two"
            finally:
                closed.append(True)

        def sync_items():
            try:
                yield from ["one", "two"]
            finally:
                closed.append(True)

        async def leave():
            held = items() if awaits else sync_items()
            async with Pipeline(from_iterable(held)).astream("Hi") as stream:
                async for _ in stream:
                    break
            if loop == "asyncio":
                assert asyncio.all_tasks() == {asyncio.current_task()}
            assert closed == [True]

        if loop == "asyncio":
            asyncio.run(leave())
        else:
            trio.run(leave)
        gc.collect()
