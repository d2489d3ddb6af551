"""One pipeline, many runs at once; and nothing left behind."""

import asyncio
import gc
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, asynccontextmanager, contextmanager, suppress

import attrs
import pytest

from streamkit.errors import SourceError
from streamkit.events import Token
from streamkit.pipeline import Pipeline


@attrs.frozen
class Echo:
    """Says the prompt, word by word, with a chance for others to run in between."""

    @contextmanager
    def open(self, request):
        """Open for the synchronous driver."""
        yield ([Token(word)] for word in request.prompt.split())

    @asynccontextmanager
    async def aopen(self, request):
        """Open for the asynchronous driver."""

        async def words():
            for word in request.prompt.split():
                await asyncio.sleep(0)
                yield [Token(word)]

        yield words()


@attrs.frozen
class Counting:
    """Holds everything back and says at the end how much it was: state of a run that must not be shared."""

    def start(self):
        """Return the machine."""
        return CountingMachine()


class CountingMachine:
    """See `Counting`."""

    def __init__(self):
        self.words = []

    def feed(self, event):
        """Hold it."""
        self.words.append(event.text)
        return ()

    def flush(self):
        """Let it go."""
        return [Token(f"{len(self.words)}:{'-'.join(self.words)}")]


@attrs.frozen
class Two:
    """Says two tokens and then raises, or ends."""

    breaks: bool

    @contextmanager
    def open(self, request):
        """Open for the synchronous driver."""
        yield self._read()

    @asynccontextmanager
    async def aopen(self, request):
        """Open for the asynchronous driver."""

        async def read():
            for batch in self._read():
                yield batch

        async with aclosing(read()) as batches:
            yield batches

    def _read(self):
        yield [Token("a")]
        yield [Token("b")]
        if self.breaks:
            raise SourceError("broken")


@attrs.frozen
class Nowhere:
    """A sink that keeps nothing."""

    def open(self, request):
        """Return the writer."""
        return self

    def write(self, event):
        """Forget it."""

    def close(self, result):
        """Forget it."""


PROMPTS = [" ".join(f"{number}.{word}" for word in range(number % 7 + 1)) for number in range(50)]


def expected(prompt):
    """Return what `Counting` makes of a prompt."""
    words = prompt.split()
    return f"{len(words)}:{'-'.join(words)}"


def test_one_pipeline_serves_threads():
    """Each run gets its own result, and each observer call its own run."""
    texts = Counter()
    pipeline = Pipeline(
        Echo(), transforms=[Counting()], callbacks={"on_final": lambda run, result: texts.update([result.text])}
    )
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(pipeline.run, PROMPTS * 4))
    assert [result.text for result in results] == [expected(prompt) for prompt in PROMPTS * 4]
    assert texts == Counter(expected(prompt) for prompt in PROMPTS * 4)


async def test_one_pipeline_serves_tasks():
    """Fifty runs interleaved on one loop do not mix."""
    pipeline = Pipeline(Echo(), transforms=[Counting()])
    results = await asyncio.gather(*(pipeline.arun(prompt) for prompt in PROMPTS))
    assert [result.text for result in results] == [expected(prompt) for prompt in PROMPTS]


@pytest.mark.parametrize("ending", ["completed", "failed", "aborted"])
def test_finished_runs_leave_nothing_behind(driver, ending):
    """After 2,000 runs and a collection there are no more objects of any kind than after the first few."""
    pipeline = Pipeline(
        Two(breaks=ending == "failed"), sinks=[Nowhere()], callbacks={"on_final": lambda run, result: None}
    )

    def runs(count):
        for _ in range(count):
            with suppress(SourceError), pipeline.stream("Hi") as stream:
                for _ in stream:
                    if ending == "aborted":
                        break
            assert stream.result.outcome == ending

    async def aruns(count):
        for _ in range(count):
            with suppress(SourceError):
                async with pipeline.astream("Hi") as stream:
                    async for _ in stream:
                        if ending == "aborted":
                            break
            assert stream.result.outcome == ending

    def objects_after(count):
        driver.run(aruns, count) if driver.asynchronous else runs(count)
        gc.collect()
        return len(gc.get_objects())

    before = objects_after(50)
    assert objects_after(2000) - before < 200
