"""Every way a run can end, in both drivers; `play` also checks what no ending may break."""

import asyncio
import gc
import weakref

import pytest

from streamkit.errors import (
    ConfigurationError,
    GenerationError,
    PluginError,
    SinkError,
    SourceError,
    TruncatedStreamError,
)
from streamkit.events import Finish, Token, Usage
from streamkit.pipeline import Pipeline

END = Finish(reason="eos_token", usage=Usage(completion_tokens=3))


def stop_at(fakes, text, log=None):
    """Return a transform that ends the answer at a token."""

    def feed(event):
        return (Token("last"), Finish(reason="stop_sequence", stop=text)) if event.text == text else (event,)

    return fakes.Transform(feed, AssertionError("a machine that ended the stream is not flushed"))


def texts(played):
    """The texts that the consumer got."""
    return [event.text for event in played.items if isinstance(event, Token)]


def test_an_answer_with_its_end_is_completed(driver, fakes, hello):
    """The result tells what the source's `Finish` told, and the consumer gets that `Finish` last."""
    played = driver.play(fakes.Source([*hello, [END]]))
    assert played.raised is None
    assert texts(played) == ["Hel", "lo", "!"]
    assert played.items[-1] == END
    assert played.recorder.names[-2:] == ["on_completion", "on_final"]
    result = played.result
    assert (result.text, result.outcome, result.finish_reason, result.tokens) == ("Hello!", "completed", "eos_token", 3)
    assert result.usage == END.usage
    assert result.error is None


def test_a_source_that_just_ends_is_completed_without_a_reason(driver, fakes, hello):
    """A source that has no protocol of its own (an iterable) need not send a `Finish`: the engine adds an empty one."""
    played = driver.play(fakes.Source(hello))
    assert played.items[-1] == Finish()
    assert (played.result.outcome, played.result.finish_reason) == ("completed", None)


def test_a_source_without_anything_is_completed_and_empty(driver, fakes):
    """No batch, and an empty batch, are answers without text."""
    for script in ([], [[]]):
        played = driver.play(fakes.Source(script))
        assert played.items == [Finish()]
        assert played.recorder.names == ["on_start", "on_completion", "on_final"]
        assert played.result.timings.first_token is None


def test_a_machine_that_stops_closes_the_source_before_the_last_text_is_handed_out(driver, fakes):
    """The model stops being billed at once; the run is completed with the machine's reason."""
    source = fakes.Source([[Token("a")], [Token("STOP"), Token("never")], AssertionError("read too far")])
    sink = fakes.Sink(log=source.log)
    closed_at = {}
    played = driver.play(
        source,
        stop_at(fakes, "STOP"),
        sinks=(sink,),
        callbacks=[{"on_text": lambda text: closed_at.update({text: source.exited})}],
        body=lambda event: closed_at.update({event: source.exited}),
    )
    assert texts(played) == ["a", "last"]
    assert closed_at["a"] == 0
    assert closed_at["last"] == closed_at[Token("last")] == 1
    assert source.log == ["source closed", "sink closed"]
    assert (played.result.outcome, played.result.finish_reason, played.result.stop) == (
        "completed",
        "stop_sequence",
        "STOP",
    )
    assert [token.text for token in played.recorder.values("on_token")] == ["a", "STOP"]


def test_usage_that_came_with_the_stopping_token_is_kept(driver, fakes):
    """TGI reports usage in the event of the last token, which the stop would otherwise cut off."""
    played = driver.play(fakes.Source([[Token("STOP"), END]]), stop_at(fakes, "STOP"))
    assert played.result.usage == END.usage
    assert played.result.finish_reason == "stop_sequence"
    assert [type(event) for event in played.items].count(Finish) == 1


def test_a_machine_may_end_the_answer_while_it_is_flushed(driver, fakes):
    """What was held back can complete a stop sequence: its reason replaces the source's, and the usage stays."""
    ends = fakes.Transform(flush=lambda: (Token("held"), Finish(reason="stop_sequence", stop="x")))
    after = fakes.Transform(lambda event: (Token(event.text.upper()),), flush=lambda: (Token("."),))
    played = driver.play(fakes.Source([[Token("a"), END]]), ends, after)
    assert texts(played) == ["A", "HELD", "."]
    assert played.items[-1] == Finish(reason="stop_sequence", stop="x", usage=END.usage)
    assert played.result.text == "AHELD."


def test_a_break_aborts_the_run_and_closes_the_source(driver, fakes, hello):
    """The partial result is there after the block."""
    played = driver.play(fakes.Source([*hello, AssertionError("read too far")]), body=lambda event: True)
    assert played.raised is None
    assert (played.result.outcome, played.result.text, played.result.error) == ("aborted", "Hel", None)
    assert played.recorder.values("on_abort") == ["the consumer left the stream"]


def test_a_break_after_the_last_text_is_still_a_completion(driver, fakes):
    """All was delivered to the sinks and the source is closed: there is nothing left to abort."""
    played = driver.play(fakes.Source([[Token("a"), END]]), fakes.Transform(flush=lambda: (Token("z"),)), body=_at("z"))
    assert played.result.outcome == "completed"
    assert "on_completion" in played.recorder.names


def _at(text):
    return lambda event: isinstance(event, Token) and event.text == text


def test_an_exception_in_the_body_aborts_the_run_and_goes_on(driver, fakes, hello):
    """It is the consumer's own: not wrapped, not a failure of the run, named as the reason."""
    mistake = ZeroDivisionError("mine")

    def body(event):
        raise mistake

    played = driver.play(fakes.Source([*hello, AssertionError("read too far")]), body=body)
    assert played.raised is mistake
    assert played.result.outcome == "aborted"
    assert played.recorder.values("on_abort") == ["the consumer raised ZeroDivisionError"]


@pytest.mark.parametrize("where", ["source", "body", "hook", "transform", "sink"])
def test_an_interrupt_aborts_the_synchronous_run(fakes, where):
    """Ctrl-C may come anywhere: the source is closed, the run is settled, and it goes on up."""
    from_source = [KeyboardInterrupt()] if where == "source" else []
    source = fakes.Source([[Token("a")], *from_source, [Token("b")], [END]])

    def interrupt():
        raise KeyboardInterrupt

    pipeline = Pipeline(
        source,
        transforms=[fakes.Transform(KeyboardInterrupt() if where == "transform" else lambda event: (event,))],
        sinks=[sink := fakes.Sink(fails={"write": KeyboardInterrupt()} if where == "sink" else {})],
        callbacks=[*([{"on_text": interrupt}] if where == "hook" else []), recorder := fakes.Recorder()],
    )
    stream = pipeline.stream("Hi")

    def consume():
        with stream:
            for _ in stream:
                if where == "body":
                    interrupt()

    with pytest.raises(KeyboardInterrupt):
        consume()
    recorder.assert_grammar()
    word = "the consumer raised" if where == "body" else "interrupted by"
    assert recorder.values("on_abort") == [f"{word} KeyboardInterrupt"]
    assert stream.result.outcome == "aborted"
    assert (source.exited, len(sink.results)) == (1, 1)


def test_an_interrupt_while_the_source_closes_does_not_call_the_answer_delivered(fakes):
    """The last text never reached the sink, so the run is aborted although the chain had finished."""
    source, sink = fakes.Source([[Token("a"), END]], close_error=KeyboardInterrupt()), fakes.Sink()
    stream = Pipeline(source, sinks=[sink]).stream("Hi")
    with pytest.raises(KeyboardInterrupt):
        list(stream)
    assert stream.result.outcome == sink.results[0].outcome == "aborted"
    assert sink.events == [Token("a")]


@pytest.mark.parametrize("step", ["on_completion", "close", "on_final"])
def test_an_interrupt_while_the_run_is_settled_waits_until_it_is(fakes, hello, step):
    """Ctrl-C during the last steps still closes every sink, calls every `on_final`, and then goes on up."""
    interrupt = {step: KeyboardInterrupt()}
    sinks = [fakes.Sink(fails=interrupt), fakes.Sink()]
    first, second = fakes.Recorder(interrupt), fakes.Recorder()
    pipeline = Pipeline(fakes.Source(hello), sinks=sinks, callbacks=[first, second])
    with pytest.raises(KeyboardInterrupt):
        pipeline.run("Hi")
    assert [len(sink.results) for sink in sinks] == [1, 1]
    for recorder in (first, second):
        recorder.assert_grammar()
        assert recorder.values("on_final")[0].outcome == "completed"


def test_a_stream_closed_before_it_is_iterated_never_starts(driver, fakes):
    """Nothing is sent and no hook is called; the result says aborted."""
    source, recorder = fakes.Source([[Token("a")]]), fakes.Recorder()
    pipeline = Pipeline(source, callbacks=[recorder])

    async def leave():
        async with pipeline.astream("Hi") as stream:
            pass
        return stream.result, [text async for text in stream]

    if driver.asynchronous:
        result, read = driver.run(leave)
    else:
        with pipeline.stream("Hi") as stream:
            pass
        result, read = stream.result, list(stream)
    assert (result.outcome, read) == ("aborted", [])
    assert recorder.calls == []
    assert source.requests == []


def test_a_synchronous_stream_left_to_the_collector_is_aborted(fakes, hello):
    """Without a `with` block the source is closed when the stream is collected."""
    source, recorder = fakes.Source(hello), fakes.Recorder()
    stream = Pipeline(source, callbacks=[recorder]).stream("Hi")
    assert next(iter(stream)) == "Hel"
    alive = weakref.ref(stream)
    del stream
    gc.collect()
    assert alive() is None
    assert source.exited == 1
    recorder.assert_grammar()
    assert recorder.values("on_final")[0].outcome == "aborted"


async def test_an_asynchronous_stream_left_to_the_collector_is_aborted_by_asyncio(fakes, hello):
    """The loop closes collected generators itself; the run is settled as if it had been left."""
    source, settled, recorder = fakes.Source(hello), asyncio.Event(), fakes.Recorder()
    stream = Pipeline(source, callbacks=[recorder, {"on_final": settled.set}]).astream("Hi")
    assert await anext(aiter(stream)) == "Hel"
    del stream
    gc.collect()
    await asyncio.wait_for(settled.wait(), 5)
    assert source.exited == 1
    recorder.assert_grammar()


def test_a_source_that_cannot_be_opened_fails_the_run(driver, fakes):
    """The error reaches the consumer with the empty result in it."""
    error = SourceError("no", status=500)
    played = driver.play(fakes.Source(open_error=error))
    assert played.raised is error
    assert played.recorder.names == ["on_start", "on_error", "on_final"]
    assert error.result is played.result
    assert (played.result.outcome, played.result.error, played.result.text) == ("failed", error, "")


def test_a_source_that_breaks_leaves_the_text_so_far(driver, fakes, hello):
    """What was delivered before the error is the text of the failed result."""
    error = TruncatedStreamError("cut")
    played = driver.play(fakes.Source([*hello, error]), fakes.Transform(flush=AssertionError("flushed after an error")))
    assert played.raised is error
    assert error.result.text == "Hello!"
    assert played.recorder.values("on_error") == [error]
    assert played.result.finish_reason is None


def test_an_error_of_the_engine_is_the_finish_reason(driver, fakes, hello):
    """`GenerationError` is the engine's own way to end an answer."""
    played = driver.play(fakes.Source([*hello, GenerationError("oom")]))
    assert played.result.finish_reason == "error"


def test_a_foreign_exception_of_a_source_comes_out_as_it_is(driver, fakes, hello):
    """It is not dressed up; the stream keeps the result that the exception cannot carry."""
    error = OSError("disk")
    played = driver.play(fakes.Source([*hello, error]))
    assert played.raised is error
    assert (played.result.error, played.result.text) == (error, "Hello!")


@pytest.mark.parametrize("script", [[[Token("a"), END]], [[Token("a")]]], ids=["with Finish", "without"])
def test_a_source_that_cannot_be_closed_fails_the_run(driver, fakes, script):
    """An error at the end of reading is an error of the run."""
    error = SourceError("broken pipe")
    played = driver.play(fakes.Source(script, close_error=error))
    assert played.raised is error
    assert played.result.outcome == "failed"


def test_a_source_that_swallows_its_own_error_repeats_no_text(driver, fakes):
    """A context manager that suppresses an exception ends the answer there; nothing is delivered twice."""
    played = driver.play(fakes.Source([[Token("a")], OSError("swallowed")], swallows=True))
    assert texts(played) == ["a"]
    assert played.result.outcome == "completed"


@pytest.mark.parametrize("step", ["feed", "flush"])
def test_a_transform_that_raises_fails_the_run_and_is_named(driver, fakes, hello, step):
    """The message names the transform once, and the cause is chained."""
    cause = ValueError("bug")
    broken = fakes.Transform(name="Broken()", **{step: cause})
    played = driver.play(fakes.Source(hello), fakes.Transform(), broken, fakes.Transform())
    assert isinstance(played.raised, PluginError)
    assert str(played.raised) == "transform Broken() raised ValueError: bug"
    assert played.raised.__cause__ is cause
    assert played.raised.result.text == ("" if step == "feed" else "Hello!")


def test_a_transform_that_raises_while_an_earlier_one_ends_the_answer_is_named_alone(driver, fakes):
    """The machine that stopped the answer has no part in the error of a later one."""
    broken = fakes.Transform(flush=ValueError("bug"), name="Broken()")
    played = driver.play(fakes.Source([[Token("STOP")]]), stop_at(fakes, "STOP"), broken)
    assert str(played.raised) == "transform Broken() raised ValueError: bug"


def test_a_transform_that_cannot_start_is_refused_before_the_run(driver, fakes):
    """No hook is called and nothing is sent, since there is no run yet."""
    pipeline = Pipeline(fakes.Source(), transforms=[fakes.Transform(start_error=ValueError("bug"), name="Broken()")])
    with pytest.raises(PluginError, match=r"^transform Broken\(\) could not be started: ValueError: bug$"):
        (pipeline.astream if driver.asynchronous else pipeline.stream)("Hi")


@pytest.mark.parametrize("step", ["open", "write", "close"])
def test_a_sink_that_raises_fails_the_run(driver, fakes, hello, step):
    """The other sinks are closed, and the error names the sink and the step."""
    cause = OSError("disk full")
    sink, other = fakes.Sink(fails={step: cause}), fakes.Sink()
    played = driver.play(fakes.Source(hello), sinks=(other, sink))
    assert isinstance(played.raised, SinkError)
    assert played.raised.__cause__ is cause
    assert "could not be" in str(played.raised)
    assert played.raised.result is played.result
    assert played.result.text == {"open": "", "write": "Hel", "close": "Hello!"}[step]
    assert played.source.entered == (step != "open")


@pytest.mark.parametrize("step", ["open", "write", "close"])
def test_an_isolated_sink_that_raises_is_logged_and_the_run_goes_on(driver, fakes, hello, caplog, step):
    """One warning, and the sink gets nothing more but its close."""
    sink = fakes.Sink(isolated=True, fails={step: OSError("disk full")})
    played = driver.play(fakes.Source(hello), sinks=(sink,))
    assert played.raised is None
    assert played.result.outcome == "completed"
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "disk full" in caplog.text
    assert len(sink.results) == (step != "open")


def test_an_isolated_sink_that_raises_again_when_it_is_closed_is_logged_once(driver, fakes, hello, caplog):
    """What it said first is why; the full disk that a file has at its close is the same one."""
    sink = fakes.Sink(isolated=True, fails={"write": OSError("first"), "close": OSError("second")})
    driver.play(fakes.Source(hello), sinks=(sink,))
    (record,) = caplog.records
    assert "could not be written to: OSError: first" in record.getMessage()
    assert len(sink.results) == 1


def test_a_sink_that_refuses_its_settings_fails_the_run_with_its_own_error(driver, fakes, hello):
    """A `ConfigurationError` says whose fault it is, and nothing was sent."""
    error = ConfigurationError("raw text is not for a terminal")
    played = driver.play(fakes.Source(hello), sinks=(fakes.Sink(fails={"open": error}),))
    assert played.raised is error
    assert error.result is played.result
    assert played.source.entered == 0


def test_an_isolated_sink_that_refuses_its_settings_is_logged(driver, fakes, hello, caplog):
    """Isolated is isolated: the run goes on without it."""
    sink = fakes.Sink(isolated=True, fails={"open": ConfigurationError("raw text is not for a terminal")})
    assert driver.play(fakes.Source(hello), sinks=(sink,)).raised is None
    assert "could not be opened: ConfigurationError: raw text" in caplog.text


@pytest.mark.parametrize("step", ["write", "close"])
def test_a_sink_that_finds_its_settings_wrong_too_late_is_a_sink_that_failed(driver, fakes, hello, step):
    """`ConfigurationError` promises that nothing was sent, which is over then."""
    cause = ConfigurationError("late")
    played = driver.play(fakes.Source(hello), sinks=(fakes.Sink(fails={step: cause}),))
    assert type(played.raised) is SinkError
    assert played.raised.__cause__ is cause


@pytest.mark.parametrize("ending", ["aborted", "failed"])
def test_a_sink_that_cannot_be_closed_after_a_bad_end_does_not_replace_it(driver, fakes, hello, caplog, ending):
    """The first cause stays; the sink's failure is logged."""
    sink = fakes.Sink(fails={"close": OSError("disk full")})
    error = SourceError("broken")
    played = driver.play(
        fakes.Source([*hello, error]), sinks=(sink,), body=(lambda event: True) if ending == "aborted" else None
    )
    assert played.result.outcome == ending
    assert played.raised is (error if ending == "failed" else None)
    assert f"the run was {ending}, and sink" in caplog.text


def test_two_sinks_that_cannot_be_closed_leave_the_first_error(driver, fakes, hello, caplog):
    """The second is closed too, is told that the run failed, and its own failure is logged."""
    sinks = tuple(fakes.Sink(fails={"close": OSError(name)}) for name in ("first", "second"))
    played = driver.play(fakes.Source(hello), sinks=sinks)
    assert "first" in str(played.raised)
    assert [sink.results[0].outcome for sink in sinks] == ["completed", "failed"]
    assert "second" in caplog.text


def test_the_result_is_refused_while_the_run_goes_on(driver, fakes, hello):
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


def test_a_second_loop_goes_on_and_after_the_end_there_is_nothing(driver, fakes, hello):
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


def test_after_a_failure_there_is_nothing_to_iterate_and_closing_is_quiet(driver, fakes):
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


def test_views_differ_only_in_what_they_pick(driver, fakes):
    """Text is the non-empty text of the answer's channel, tokens are all tokens, events are everything."""
    tokens = [Token("a"), Token("", id=5, special=True), Token("hm", channel="reasoning"), Token("b")]
    got = {view: driver.play(fakes.Source([[*tokens, END]]), view=view).items for view in ("text", "tokens", "events")}
    assert got == {"text": ["a", "b"], "tokens": tokens, "events": [*tokens, END]}
