"""Cancellation of the asynchronous driver, by asyncio and by trio."""

import pytest
import trio

from drivers import fakes
from drivers.playing import ASYNC
from streamkit.events import Finish, Token


@pytest.fixture
def gate(async_driver):
    """A place where a run stops until it is cancelled."""
    return fakes.Gate(async_driver.event)


def word(async_driver):
    """What the loop calls its exception."""
    return "Cancelled" if async_driver.event is trio.Event else "CancelledError"


@pytest.mark.parametrize("before", [[], [[Token("a")]]], ids=["before the first token", "mid-stream"])
def test_cancelling_a_run_that_waits_for_the_source_aborts_it(async_driver, gate, before):
    """The source is closed, the run is settled, and the cancellation goes on up."""
    played = async_driver.prepare(fakes.Source([*before, gate]), sinks=(fakes.Sink(),))
    async_driver.play_cancelled(played, gate.reached)
    assert type(played.raised).__name__ == word(async_driver)
    assert played.source.exited == 1
    assert (played.result.outcome, played.result.text) == ("aborted", "a" if before else "")
    assert played.recorder.values("on_abort") == [f"interrupted by {word(async_driver)}"]


def test_cancelling_the_consumer_between_two_tokens_aborts_the_run(async_driver, hello, gate):
    """The stream is suspended then, and is closed by its block."""
    played = async_driver.prepare(fakes.Source(hello))

    async def consume(played):
        async with played.stream as stream:
            async for _ in stream:
                await gate.wait()

    async_driver.play_cancelled(played, gate.reached, consume)
    assert (played.result.outcome, played.result.text) == ("aborted", "Hel")
    assert played.recorder.values("on_abort") == [f"the consumer raised {word(async_driver)}"]


def test_cancelling_while_the_source_closes_does_not_call_the_answer_delivered(async_driver, gate):
    """The last text never reached sinks or consumer: the run is aborted although the chain had finished."""
    sink = fakes.Sink()
    played = async_driver.prepare(fakes.Source([[Token("a"), Finish()]], close_gate=gate), sinks=(sink,))
    async_driver.play_cancelled(played, gate.reached)
    assert played.result.outcome == "aborted"
    assert sink.events == [Token("a")]


@pytest.mark.parametrize("step", ["write", "close"])
def test_cancelling_a_sink_that_waits_closes_every_sink(async_driver, hello, gate, step):
    """Each writer is closed once and `on_final` is called, also where every further `await` is cancelled (trio)."""
    sinks = (fakes.AsyncSink(gates={step: gate}), fakes.AsyncSink(), fakes.Sink())
    played = async_driver.prepare(fakes.Source(hello), sinks=sinks)
    async_driver.play_cancelled(played, gate.reached)
    assert [len(sink.results) for sink in sinks] == [1, 1, 1]
    assert played.result.outcome == ("aborted" if step == "write" else "completed")
    assert type(played.raised).__name__ == word(async_driver)


@pytest.mark.parametrize("name", ["on_start", "on_token", "on_text", "on_completion", "on_final"])
def test_cancelling_a_hook_that_waits_settles_the_run(async_driver, hello, gate, name):
    """Other observers hear of the end, sinks are closed, and the cancellation goes on up."""
    sink = fakes.Sink()

    async def wait():
        await gate.wait()

    played = async_driver.prepare(fakes.Source(hello), sinks=(sink,), callbacks=[{name: wait}])
    async_driver.play_cancelled(played, gate.reached)
    assert type(played.raised).__name__ == word(async_driver)
    assert played.recorder.names[0] == "on_start"
    assert played.recorder.names[-1] == "on_final"
    assert played.result.outcome == ("completed" if name in {"on_completion", "on_final"} else "aborted")
    assert len(sink.results) == (name != "on_start")


def test_a_coroutine_on_final_is_called_in_a_cancelled_run(async_driver, gate):
    """The scope of trio stays cancelled, so its first `await` ends it; asyncio lets it finish."""
    reached, go_on = [], async_driver.event()
    go_on.set()

    async def note():
        reached.append("start")
        await go_on.wait()
        reached.append("end")

    played = async_driver.prepare(fakes.Source([gate]), callbacks=[{"on_final": note}])
    async_driver.play_cancelled(played, gate.reached)
    assert reached == (["start"] if async_driver.event is trio.Event else ["start", "end"])


def test_a_coroutine_on_final_that_shields_itself_finishes_on_trio():
    """What it awaits inside of the shield is not cancelled."""
    gate, reached = fakes.Gate(trio.Event), []

    async def note():
        with trio.CancelScope(shield=True):
            await trio.lowlevel.checkpoint()
            reached.append("end")

    played = ASYNC["trio"].prepare(fakes.Source([gate]), callbacks=[{"on_final": note}])
    ASYNC["trio"].play_cancelled(played, gate.reached)
    assert reached == ["end"]
