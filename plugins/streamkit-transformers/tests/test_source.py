"""The source in both drivers: it stops at once, blocks no loop, and its runs do not disturb each other."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import zip_longest

import anyio
import anyio.lowlevel
import pytest
from anyio import from_thread, to_thread
from streamkit import ConfigurationError, GenerationError, Pipeline

from streamkit_transformers import TransformersModel
from streamkit_transformers import source as module

PROMPT = "The quick brown"
SAMPLED = {"max_new_tokens": 16, "temperature": 1.5}
LOOPS = pytest.mark.parametrize("loop", ["asyncio", "trio"])


@pytest.fixture
def pipeline(source):
    """The source alone: what it yields is what leaves."""
    return Pipeline(source)


class Gate:
    """Holds the model in its third pass until it is opened."""

    def __init__(self):
        self.reached = anyio.Event()
        self.opened = threading.Event()
        self.passes = 0

    def __call__(self):
        """Begin a pass."""
        self.passes += 1
        if self.passes == 3:
            from_thread.run_sync(self.reached.set)
            assert self.opened.wait(30), "nobody opened the gate: the event loop is blocked"


def test_both_drivers_give_the_same_answer(pipeline, greedy):
    """The events are the same, in the same batches, whichever way they are asked for."""

    async def ask():
        async with pipeline.astream(PROMPT, max_new_tokens=24) as stream:
            return [event async for event in stream.events()]

    with pipeline.stream(PROMPT, max_new_tokens=24) as stream:
        events = list(stream.events())
    assert [event.id for event in events[:-1]] == greedy
    assert events == anyio.run(ask) == anyio.run(ask, backend="trio")


def test_leaving_the_loop_stops_the_model(pipeline, watch):
    """Three tokens taken are three passes made, all in the consumer's own thread."""
    threads = set()
    with watch(lambda: threads.add(threading.get_ident())) as passes:
        with pipeline.stream(PROMPT) as stream:
            for count, _ in enumerate(stream.tokens(), 1):
                if count == 3:
                    break
        assert len(passes) == 3
    assert threads == {threading.get_ident()}
    assert (stream.result.outcome, stream.result.tokens) == ("aborted", 3)


@LOOPS
def test_leaving_the_loop_stops_the_model_asynchronously(pipeline, watch, loop):
    """Three tokens taken are three passes made, none of them in the loop's thread."""
    threads = set()

    async def leave():
        async with pipeline.astream(PROMPT) as stream:
            taken = 0
            async for _ in stream.tokens():
                taken += 1
                if taken == 3:
                    break
        return stream.result

    with watch(lambda: threads.add(threading.get_ident())) as passes:
        result = anyio.run(leave, backend=loop)
    assert (result.outcome, len(passes)) == ("aborted", 3)
    assert threading.get_ident() not in threads


@LOOPS
def test_the_loop_runs_on_while_the_model_computes(pipeline, watch, loop):
    """A task beside the run is served in the middle of a pass."""

    async def main():
        gate = Gate()
        beats = 0

        async def beat():
            nonlocal beats
            await gate.reached.wait()
            for _ in range(10):
                await anyio.lowlevel.checkpoint()
                beats += 1
            gate.opened.set()

        with watch(gate):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(beat)
                result = await pipeline.arun(PROMPT, max_new_tokens=5)
        assert (result.outcome, result.tokens, beats) == ("completed", 5, 10)

    anyio.run(main, backend=loop)


@LOOPS
def test_a_cancelled_scope_is_left_when_the_pass_at_hand_is_over(pipeline, watch, loop):
    """No thread computes behind the back of a scope that was cancelled."""

    async def main():
        gate = Gate()

        async def consume():
            await pipeline.arun(PROMPT)

        with watch(gate) as passes:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(consume)
                await gate.reached.wait()
                tasks.cancel_scope.cancel()
                gate.opened.set()
            assert len(passes) == 3
            await to_thread.run_sync(threading.Event().wait, 0.05)
            assert len(passes) == 3

    anyio.run(main, backend=loop)


def test_a_cancelled_task_ends_when_the_pass_at_hand_is_over(pipeline, watch):
    """`Task.cancel()` knows no shields, and still nothing computes once the task has ended."""

    async def main():
        gate = Gate()
        with watch(gate) as passes:
            task = asyncio.ensure_future(pipeline.arun(PROMPT))
            await gate.reached.wait()
            task.cancel()
            done, _ = await asyncio.wait([task], timeout=0.1)
            assert not done, "the task ended with the pass still running"
            gate.opened.set()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert len(passes) == 3

    asyncio.run(main())


def test_no_thread_is_left(pipeline):
    """Threads end with the event loop that they served."""
    before = set(threading.enumerate())
    asyncio.run(pipeline.arun(PROMPT, max_new_tokens=3))
    for thread in set(threading.enumerate()) - before:
        thread.join(5)
        assert not thread.is_alive()


def test_a_run_that_is_cancelled_while_the_model_loads_leaves_at_once(directory, monkeypatch):
    """Loading cannot be interrupted, so it goes on and serves the next run."""
    started, go_on, loads = threading.Event(), threading.Event(), []
    load = module.load

    def slow(*args, **options):
        loads.append(args)
        started.set()
        assert go_on.wait(30)
        return load(*args, **options)

    monkeypatch.setattr(module, "load", slow)
    pipeline = Pipeline(TransformersModel(directory, device="cpu"))

    async def main():
        task = asyncio.ensure_future(pipeline.arun(PROMPT))
        await to_thread.run_sync(started.wait)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        go_on.set()
        await pipeline.arun(PROMPT, max_new_tokens=1)

    asyncio.run(main())
    assert len(loads) == 1


def test_interleaved_runs_do_not_disturb_each_other(pipeline):
    """Runs that take turns, token by token, each give what they give alone."""
    alone = [pipeline.run(PROMPT, seed=seed, **SAMPLED).text for seed in range(3)]
    assert len(set(alone)) == 3
    with ExitStack() as streams:
        together = [streams.enter_context(pipeline.stream(PROMPT, seed=seed, **SAMPLED)).tokens() for seed in range(3)]
        turns = list(zip_longest(*together))
    texts = ["".join(token.text for token in tokens if token) for tokens in zip(*turns, strict=True)]
    assert texts == alone


def test_runs_in_several_threads_do_not_disturb_each_other(pipeline):
    """A seed gives the same answer whatever computes at the same time."""
    alone = [pipeline.run(PROMPT, seed=seed, **SAMPLED).text for seed in range(8)]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda seed: pipeline.run(PROMPT, seed=seed, **SAMPLED).text, range(8))) == alone


@LOOPS
def test_tasks_do_not_disturb_each_other(pipeline, loop):
    """A seed gives the same answer whatever other tasks ask."""
    alone = {seed: pipeline.run(PROMPT, seed=seed, **SAMPLED).text for seed in range(4)}
    together = {}

    async def ask(seed):
        together[seed] = (await pipeline.arun(PROMPT, seed=seed, **SAMPLED)).text

    async def main():
        async with anyio.create_task_group() as tasks:
            for seed in range(4):
                tasks.start_soon(ask, seed)

    anyio.run(main, backend=loop)
    assert together == alone


def test_without_a_seed_answers_differ(pipeline):
    """Each run draws its own random numbers."""
    assert len({pipeline.run(PROMPT, **SAMPLED).text for _ in range(4)}) > 1


@LOOPS
def test_a_request_that_cannot_be_put_fails_before_the_first_pass(pipeline, watch, loop):
    """The caller's mistake comes out of the thread as it is."""
    with watch() as passes, pytest.raises(ConfigurationError, match="did you mean 'top_k'"):
        anyio.run(lambda: pipeline.arun(PROMPT, top_kk=3), backend=loop)
    assert not passes


@LOOPS
def test_a_model_that_raises_fails_the_run_with_its_text_so_far(pipeline, watch, loop):
    """What had been said is in the error's result."""

    def fail():
        if len(passes) == 3:
            raise RuntimeError("out of memory")

    with watch(fail) as passes, pytest.raises(GenerationError, match="after 2 tokens") as caught:
        anyio.run(lambda: pipeline.arun(PROMPT), backend=loop)
    assert (caught.value.result.outcome, caught.value.result.tokens) == ("failed", 2)
