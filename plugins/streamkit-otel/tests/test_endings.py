"""The span of a run ends exactly once, on every path."""

from __future__ import annotations

import asyncio
import gc
import logging

import pytest
from opentelemetry.sdk.trace import SpanProcessor
from opentelemetry.trace import StatusCode
from streamkit import (
    Callback,
    SinkError,
    StopSequences,
    StreamTimeoutError,
    Token,
    TruncatedStreamError,
)

from streamkit_otel import Telemetry, plugin


def _ended_once(observed, reason):
    assert len(observed.spans) == 1
    points = observed.points()
    assert observed.ends() == {reason: 1}
    assert [point.value for point in points["streamkit.streams.active"]] == [0]
    return observed.span


async def test_read_to_the_end(run, observed):
    """A run that is read to its end has finished."""
    await run(observed.pipeline(), "Hi")
    _ended_once(observed, "finished")


async def test_cut_at_a_stop_sequence(run, observed):
    """A cut at a stop sequence is how the answer was meant to end."""
    await run(observed.pipeline() | StopSequences(" walls"), "Hi")
    assert _ended_once(observed, "finished").attributes["gen_ai.response.finish_reasons"] == ("stop_sequence",)


async def test_break(observed):
    """A consumer that leaves the loop has cancelled; that is no error."""
    with observed.pipeline().stream("Hi") as stream:
        for _ in stream:
            break
    span = _ended_once(observed, "cancelled")
    assert span.status.status_code is StatusCode.UNSET
    assert "gen_ai.response.finish_reasons" not in span.attributes


async def test_asynchronous_break(observed):
    """Leaving an asynchronous loop ends the span when the block is left."""
    async with observed.pipeline().astream("Hi") as stream:
        async for _ in stream:
            break
    _ended_once(observed, "cancelled")


async def test_close(observed):
    """A stream that is closed, twice even, ends its span once."""
    stream = observed.pipeline().stream("Hi")
    next(iter(stream))
    stream.close()
    stream.close()
    _ended_once(observed, "cancelled")


async def test_cancelled_task(observed):
    """Cancelling the task that reads the answer ends the span."""
    reading = asyncio.Event()

    async def read():
        async with observed.pipeline().astream("Hi") as stream:
            async for _ in stream:
                reading.set()
                await asyncio.Event().wait()

    task = asyncio.create_task(read())
    await reading.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    _ended_once(observed, "cancelled")


async def test_dropped(observed):
    """A stream that nobody refers to any more ends its span."""
    stream = observed.pipeline().stream("Hi")
    next(iter(stream))
    del stream
    gc.collect()
    _ended_once(observed, "cancelled")


def test_a_run_that_nobody_ends_is_ended_when_it_is_forgotten(observed):
    """Where no hook is called at the end, as when the event loop is gone, the span ends with the run's memory."""
    telemetry = observed.telemetry()

    class Forgotten:
        source = None

    run = Forgotten()
    telemetry.on_start(run, _request(observed))
    telemetry.on_token(run)
    del run
    gc.collect()
    _ended_once(observed, "cancelled")
    assert not telemetry._operations


def _request(observed):
    seen = []
    observed.pipeline().evolve(callbacks={"on_start": lambda request: seen.append(request)}).run("Hi")  # noqa: PLW0108 (a hook is matched by its argument's name)
    return seen[0]


async def test_never_iterated(observed):
    """A run that is never iterated asked nothing: there is no span and no measurement."""
    with observed.pipeline().stream("Hi"):
        pass
    async with observed.pipeline().astream("Hi"):
        pass
    assert not observed.spans
    assert not observed.points()


async def test_failing_sink(run, observed):
    """A sink that raises fails the run, and the span says so."""

    def fail(_):
        raise OSError("disk full")

    with pytest.raises(SinkError):
        await run(observed.pipeline() | Callback(fail), "Hi")
    assert _ended_once(observed, "error").attributes["error.type"] == "streamkit.errors.SinkError"


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (TruncatedStreamError("gone"), "cut"),
        (StreamTimeoutError("slow"), "timeout"),
        (ZeroDivisionError("oops"), "error"),
    ],
)
async def test_failing_source(run, observed, error, reason):
    """A stream that breaks off or stalls is told from other errors."""
    with pytest.raises(type(error)):
        await run(observed.pipeline(Token("a"), error), "Hi")
    assert _ended_once(observed, reason).status.status_code is StatusCode.ERROR


async def test_concurrent_runs_of_one_pipeline_are_told_apart(observed):
    """State belongs to the run: runs that interleave have a span each, with their own tokens."""
    pipeline = observed.pipeline()
    await asyncio.gather(*(pipeline.arun("Hi") for _ in range(5)))
    assert len({span.context.span_id for span in observed.spans}) == 5
    (between,) = observed.points()["gen_ai.client.operation.time_per_output_chunk"]
    assert between.count == 5 * 2


class _Broken(SpanProcessor):
    """A processor that raises on one of the two occasions, as a broken exporter's may."""

    def __init__(self, occasion):
        self._occasion = occasion

    def on_start(self, span, parent_context=None):
        if self._occasion == "start":
            raise RuntimeError("no collector")

    def on_end(self, span):
        if self._occasion == "end":
            raise RuntimeError("no collector")


@pytest.mark.parametrize("occasion", ["start", "end"])
async def test_a_failing_exporter_harms_no_run(run, observed, occasion, caplog):
    """What a processor raises is logged, and the answer is complete."""
    observed.tracers.add_span_processor(_Broken(occasion))
    with caplog.at_level(logging.ERROR, "streamkit.otel"):
        assert (await run(observed.pipeline(), "Hi")).text == "Walk the walls"
    assert "no collector" in caplog.text
    if occasion == "end":
        assert observed.ends() == {"finished": 1}


def test_without_an_sdk_nothing_happens(observed):
    """The plugin that installing the package loads works with no provider configured."""
    assert isinstance(plugin, Telemetry)
    assert observed.pipeline().evolve(callbacks=[plugin]).run("Hi").text == "Walk the walls"
    assert not plugin._operations
