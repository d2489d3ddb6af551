"""Many questions to one pipeline: so many at once as its server bears, and each answer as soon as it has ended."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import aclosing, asynccontextmanager, closing, contextmanager
from contextvars import copy_context
from queue import SimpleQueue
from typing import TypeVar

from streamkit.drivers.asynchronous import AsyncStream
from streamkit.drivers.sync import Stream
from streamkit.errors import ConfigurationError, SourceError, StreamkitError
from streamkit.events import Attempt
from streamkit.pipeline import Pipeline
from streamkit.request import Message, Request
from streamkit.result import RunResult
from streamkit.run import Run

Question = TypeVar("Question", bound=str | Sequence[Message] | Request)


@contextmanager
def run_many(
    pipeline: Pipeline, questions: Iterable[Question], *, concurrency: int = 16
) -> Iterator[Iterator[tuple[Question, RunResult]]]:
    """Ask many questions, several at once, inside a `with` block.

    1. Answers come in the order in which they end, each with the very object that was its question. An answer that
       failed is a result too, with its `error`; nothing is raised.
    2. A question is taken when its turn has come, and nothing is kept of one whose answer was handed out: there may
       be any number of them.
    3. Each time the server refuses a try for now (429, 503), half as many are asked at once; each round of answers
       makes it one more, up to `concurrency`. What was refused is asked again if the source is a `Retry`.
    4. Leaving the block closes every connection; what was still asked ends as `aborted`, and is not handed out.

    Args:
        pipeline: Whom to ask. Its sinks get the answers side by side.
        questions: Prompts, lists of messages, or requests with parameters of their own.
        concurrency: How many are asked at once at the most; each takes a thread.

    Yields:
        The iterator over questions and results; iterating it is what makes further questions be asked.

    Raises:
        ConfigurationError: `concurrency` is no whole number from 1.
    """
    pace = Pace(concurrency)
    with (
        ThreadPoolExecutor(concurrency, "streamkit-many") as threads,
        closing(_answers(pipeline, questions, pace, threads)) as answers,
    ):
        yield answers


@asynccontextmanager
async def arun_many(
    pipeline: Pipeline, questions: Iterable[Question], *, concurrency: int = 16
) -> AsyncIterator[AsyncIterator[tuple[Question, RunResult]]]:
    """Ask many questions, several at once: the asynchronous twin of `run_many`, for asyncio.

    A question takes a task and not a thread, so a thousand at once are no trouble.
    """
    async with aclosing(_aanswers(pipeline, questions, Pace(concurrency))) as answers:
        yield answers


def unasked(error: StreamkitError) -> RunResult:
    """Return how a run ended that could not begin."""
    return Run(Request(prompt=""), ()).fail(error)


class Pace:
    """How many are asked at once: half as many after a refusal, one more after a round without.

    Those that were on their way when the pace was lowered cannot have known, so their refusals lower it no further.

    Args:
        most: Never more than so many.

    Raises:
        ConfigurationError: It is no whole number from 1.
    """

    def __init__(self, most: int) -> None:
        if not isinstance(most, int) or most < 1:
            raise ConfigurationError(f"concurrency is {most!r}: give a whole number from 1")
        self._most = most
        self._limit = float(most)
        self._lock = threading.Lock()
        self.lowered = 0

    @property
    def limit(self) -> int:
        """How many may be asked at once now, at least one."""
        return int(self._limit)

    def refused(self, lowered: int) -> int:
        """Take a refusal.

        Args:
            lowered: `self.lowered` when the try began.

        Returns:
            `self.lowered`, for the next try.
        """
        with self._lock:
            if lowered == self.lowered:
                self._limit = max(1.0, self._limit / 2)
                self.lowered += 1
            return self.lowered

    def ended(self, result: RunResult, lowered: int) -> None:
        """Take the end of a run whose last try began at `lowered`."""
        if isinstance(result.error, SourceError) and result.error.transient:
            self.refused(lowered)
        elif result.outcome == "completed":
            with self._lock:
                self._limit = min(float(self._most), self._limit + 1 / self._limit)


def _answers(
    pipeline: Pipeline, questions: Iterable[Question], pace: Pace, threads: ThreadPoolExecutor
) -> Generator[tuple[Question, RunResult], None, None]:
    running: dict[Future[RunResult], tuple[Question, Stream]] = {}
    ended: SimpleQueue[Future[RunResult]] = SimpleQueue()
    waiting = iter(questions)
    try:
        while True:
            if len(running) < pace.limit:
                for question in waiting:
                    try:
                        stream = pipeline.stream(question)
                    except StreamkitError as error:
                        yield question, unasked(error)
                        continue
                    future = threads.submit(copy_context().run, _finish, stream, pace)
                    running[future] = question, stream
                    future.add_done_callback(ended.put)
                    if len(running) >= pace.limit:
                        break
            if not running:
                return
            future = ended.get()
            question, _ = running.pop(future)
            yield question, future.result()
    finally:
        for _, stream in running.values():
            _close(stream)


async def _aanswers(
    pipeline: Pipeline, questions: Iterable[Question], pace: Pace
) -> AsyncGenerator[tuple[Question, RunResult], None]:
    running: dict[asyncio.Task[RunResult], Question] = {}
    ended: asyncio.Queue[asyncio.Task[RunResult]] = asyncio.Queue()
    waiting = iter(questions)
    try:
        while True:
            if len(running) < pace.limit:
                for question in waiting:
                    try:
                        stream = pipeline.astream(question)
                    except StreamkitError as error:
                        yield question, unasked(error)
                        continue
                    task = asyncio.create_task(_afinish(stream, pace))
                    running[task] = question
                    task.add_done_callback(ended.put_nowait)
                    if len(running) >= pace.limit:
                        break
            if not running:
                return
            task = await ended.get()
            yield running.pop(task), task.result()
    finally:
        for task in running:
            task.cancel()
        if running:
            await asyncio.wait(running)


def _finish(stream: Stream, pace: Pace) -> RunResult:
    lowered = pace.lowered
    with contextlib.suppress(Exception), stream:  # it is in the result
        for event in stream.events():
            if type(event) is Attempt:
                lowered = pace.refused(lowered)
    pace.ended(stream.result, lowered)
    return stream.result


async def _afinish(stream: AsyncStream, pace: Pace) -> RunResult:
    lowered = pace.lowered
    with contextlib.suppress(Exception):
        async with stream:
            async for event in stream.events():
                if type(event) is Attempt:
                    lowered = pace.refused(lowered)
    pace.ended(stream.result, lowered)
    return stream.result


def _close(stream: Stream) -> None:
    while True:
        try:
            stream.close()
        except ValueError:  # its thread went on with it at this very moment
            continue
        return
