"""Consumers that leave, whether they want to or not; `play` also checks what no ending may break."""

import asyncio
import gc
import weakref

import pytest

from drivers import fakes
from streamkit.events import Token
from streamkit.pipeline import Pipeline


def test_a_break_aborts_the_run_and_closes_the_source(driver, hello):
    """The partial result is there after the block."""
    played = driver.play(fakes.Source([*hello, AssertionError("read too far")]), body=lambda event: True)
    assert played.raised is None
    assert (played.result.outcome, played.result.text, played.result.error) == ("aborted", "Hel", None)
    assert played.recorder.values("on_abort") == ["the consumer left the stream"]


def test_a_break_after_the_last_text_is_still_a_completion(driver):
    """All was delivered to the sinks and the source is closed: there is nothing left to abort."""
    played = driver.play(
        fakes.Source([[Token("a"), fakes.END]]), fakes.Transform(flush=lambda: (Token("z"),)), body=_at("z")
    )
    assert played.result.outcome == "completed"
    assert "on_completion" in played.recorder.names


def _at(text):
    return lambda event: isinstance(event, Token) and event.text == text


def test_an_exception_in_the_body_aborts_the_run_and_goes_on(driver, hello):
    """It is the consumer's own: not wrapped, not a failure of the run, named as the reason."""
    mistake = ZeroDivisionError("mine")

    def body(event):
        raise mistake

    played = driver.play(fakes.Source([*hello, AssertionError("read too far")]), body=body)
    assert played.raised is mistake
    assert played.result.outcome == "aborted"
    assert played.recorder.values("on_abort") == ["the consumer raised ZeroDivisionError"]


@pytest.mark.parametrize("where", ["source", "body", "hook", "transform", "sink"])
def test_an_interrupt_aborts_the_synchronous_run(where):
    """Ctrl-C may come anywhere: the source is closed, the run is settled, and it goes on up."""
    from_source = [KeyboardInterrupt()] if where == "source" else []
    source = fakes.Source([[Token("a")], *from_source, [Token("b")], [fakes.END]])

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


def test_an_interrupt_while_the_source_closes_does_not_call_the_answer_delivered():
    """The last text never reached the sink, so the run is aborted although the chain had finished."""
    source, sink = fakes.Source([[Token("a"), fakes.END]], close_error=KeyboardInterrupt()), fakes.Sink()
    stream = Pipeline(source, sinks=[sink]).stream("Hi")
    with pytest.raises(KeyboardInterrupt):
        list(stream)
    assert stream.result.outcome == sink.results[0].outcome == "aborted"
    assert sink.events == [Token("a")]


@pytest.mark.parametrize("step", ["on_completion", "close", "on_final"])
def test_an_interrupt_while_the_run_is_settled_waits_until_it_is(hello, step):
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


def test_a_stream_closed_before_it_is_iterated_never_starts(driver):
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


def test_a_synchronous_stream_left_to_the_collector_is_aborted(hello):
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


async def test_an_asynchronous_stream_left_to_the_collector_is_aborted_by_asyncio(hello):
    """The loop closes collected generators itself; the run is settled as if it had been left."""
    source, settled, recorder = fakes.Source(hello), asyncio.Event(), fakes.Recorder()
    stream = Pipeline(source, callbacks=[recorder, {"on_final": settled.set}]).astream("Hi")
    assert await anext(aiter(stream)) == "Hel"
    del stream
    gc.collect()
    await asyncio.wait_for(settled.wait(), 5)
    assert source.exited == 1
    recorder.assert_grammar()
