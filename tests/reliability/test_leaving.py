"""Rows 26 to 28, 30, 38, 39 and 42: consumers that leave, are slow, are many, or come from elsewhere."""

import asyncio
import gc
import os
import sys
import threading
import time
import tracemalloc

import pytest

from streamkit import AsyncStream, Pipeline, Run, RunResult, SkipSpecialTokens, Stream
from streamkit.testing import NoLeaks, faults

TRUTH = "one two three four five"


def test_a_break_closes_the_connection_at_once(ask, play, api):
    """Row 26: the server, which would go on for ever, knows within 100 ms."""
    server, endpoint = play(faults.endless(), api=api)
    left = []
    outcome = ask(endpoint, body=lambda _: left.append(time.monotonic()) or len(left) == 5)
    request = server.requests[0]
    assert request.client_left.wait(1)
    assert request.finished - left[-1] < 0.1
    assert (outcome.result.outcome, outcome.result.tokens) == ("aborted", 5)
    assert outcome.finals == [outcome.result]


@pytest.mark.parametrize("fault", [faults.endless(), faults.silent(), faults.silent(headers=False)])
def test_cancellation_works_at_every_await(play, fault):
    """Row 27: after any number of steps of the loop, the task is cancelled, once ended, and nothing is left."""
    _, endpoint = play(fault)
    outcomes = set()

    async def cancel_after(steps):
        finals = []
        pipeline = Pipeline(endpoint, callbacks=[{"on_final": lambda result: finals.append(result.outcome)}])
        async with NoLeaks():
            task = asyncio.create_task(pipeline.arun("Hi"))
            for _ in range(steps):
                await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        assert finals in ([], ["aborted"])
        return bool(finals)

    for steps in [*range(12), 20, 40, 80, 160]:
        outcomes.add(asyncio.run(cancel_after(steps)))
    assert True in outcomes


def test_a_stream_that_is_forgotten_asks_nothing(play):
    """Row 28: it is lazy, so there is nothing to warn about."""
    server, endpoint = play()
    with NoLeaks():
        stream = Pipeline(endpoint).stream("Hi")
        del stream
        gc.collect()
    assert server.requests == []


def test_a_reader_that_does_not_read_holds_the_server_back(play):
    """Row 30: what is not consumed stays at the server; our memory is flat."""
    server, endpoint = play(faults.endless())
    tracemalloc.start()
    with Pipeline(endpoint).stream("Hi") as stream:
        next(iter(stream))
        request, before = server.requests[0], -1
        deadline = time.monotonic() + 20
        while request.tokens_sent != before and time.monotonic() < deadline:
            before = request.tokens_sent
            time.sleep(0.1)  # what is looked for is that nothing happens
        size = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert request.tokens_sent == before
    assert size < 4 * 2**20


async def test_an_asynchronous_reader_that_does_not_read_holds_the_server_back(play):
    """Row 30: the loop runs on, and the transport reads no more than its bound ahead."""
    server, endpoint = play(faults.endless())
    async with Pipeline(endpoint).astream("Hi") as stream:
        async for _ in stream:
            break
        request, before = server.requests[0], -1
        deadline = time.monotonic() + 20
        while request.tokens_sent != before and time.monotonic() < deadline:
            before = request.tokens_sent
            await asyncio.sleep(0.1)
    assert request.tokens_sent == before


def test_one_endpoint_serves_several_event_loops(play):
    """Row 38: nothing of a loop outlives it."""
    _, endpoint = play()
    pipeline = endpoint | SkipSpecialTokens()
    with NoLeaks():
        assert [asyncio.run(pipeline.arun("Hi")).text for _ in range(3)] == [TRUTH] * 3


@pytest.mark.skipif(not hasattr(os, "fork") or sys.version_info >= (3, 12), reason="forking threads warns there")
def test_a_child_process_asks_by_itself(play):
    """Row 38: there is no pooled socket that two processes could share."""
    _, endpoint = play()
    pipeline = endpoint | SkipSpecialTokens()
    assert pipeline.run("Hi").text == TRUTH
    child = os.fork()
    if child == 0:
        try:
            os._exit(0 if pipeline.run("Hi").text == TRUTH else 1)
        finally:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert pipeline.run("Hi").text == TRUTH


def test_one_pipeline_serves_eight_threads(play):
    """Row 39: each run has its own connection and its own result."""
    server, endpoint = play()
    pipeline, texts = endpoint | SkipSpecialTokens(), []
    with NoLeaks():
        threads = [
            threading.Thread(target=lambda: texts.extend(pipeline.run("Hi").text for _ in range(5))) for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
    assert texts == [TRUTH] * 40
    assert len(server.requests) == 40


def test_streams_leave_no_memory_behind(ask, play):
    """Row 42: 150 streams over HTTP by one pipeline; `make chaos` measures 20,000."""
    _, endpoint = play()
    pipeline = endpoint | SkipSpecialTokens()

    async def many(count):
        for _ in range(count):
            await pipeline.arun("Hi")

    def run(count):
        if ask.asynchronous:
            asyncio.run(many(count))
        else:
            for _ in range(count):
                pipeline.run("Hi")
        gc.collect()

    def count():
        return sum(isinstance(each, Run | RunResult | Stream | AsyncStream) for each in gc.get_objects())

    run(50)
    before = count()
    with NoLeaks():
        run(150)
    assert count() <= before
