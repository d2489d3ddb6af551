"""What streams cost: `python -m chaos.memory PROBE DRIVER` measures in a process of its own and prints bytes."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Final

import attrs

from streamkit import Endpoint, LimitExceededError, Pipeline, ScrubEos, SkipSpecialTokens, StopSequences, Token
from streamkit.events import Finish
from streamkit.protocols import Batch

STREAMS: Final = 20_000
STREAMS_HTTP: Final = 1_000
MIB: Final = 2**20


BATCHES: Final[tuple[Batch, ...]] = (*[[Token(" word")] for _ in range(20)], [Finish(reason="eos_token")])


@attrs.frozen
class InMemory:
    """A source without any I/O."""

    @contextmanager
    def open(self, _request: object) -> Iterator[Iterator[Batch]]:
        """See `Source.open`."""
        yield iter(BATCHES)

    @asynccontextmanager
    async def aopen(self, _request: object) -> AsyncIterator[AsyncIterator[Batch]]:
        """See `AsyncSource.aopen`."""
        async with aclosing(self._batches()) as batches:
            yield batches

    async def _batches(self) -> AsyncGenerator[Batch, None]:
        for batch in BATCHES:
            yield batch


def resident(name: str = "VmRSS") -> int:
    """Return a figure of this process's memory, in bytes: `VmRSS` now, `VmHWM` at its highest."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(re.search(rf"{name}:\s+(\d+) kB", status)[1]) * 1024  # type: ignore[index]  # Linux has them


def forget_peak() -> None:
    """Start a new highest figure."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def run_many(pipeline: Pipeline, driver: str, streams: int) -> None:
    """Run a pipeline many times, one after the other."""
    if driver == "sync":
        for _ in range(streams):
            pipeline.run("Hi")
        return

    async def play() -> None:
        for _ in range(streams):
            await pipeline.arun("Hi")

    asyncio.run(play())


def growth(pipeline: Pipeline, driver: str, streams: int) -> int:
    """Return how much memory grows over many streams, the first tenth not counted."""
    run_many(pipeline, driver, streams // 10)
    before = resident()
    run_many(pipeline, driver, streams)
    return resident() - before


def many(driver: str) -> int:
    """Return the growth over streams without I/O."""
    chain = (ScrubEos(), SkipSpecialTokens(), StopSequences(["\nUser:"]))
    return growth(Pipeline(InMemory(), transforms=chain), driver, STREAMS)


def many_http(driver: str) -> int:
    """Return the growth over streams from a server in another process."""
    with emulated("--script", "one two three") as url:
        return growth(Pipeline(Endpoint(url, api="tgi", token=False)), driver, STREAMS_HTTP)


def line(driver: str) -> int:
    """Return how much more memory than before a line of 64 MiB takes at its highest."""
    with emulated("--script", "one two three", "--fault", f"bigline:{64 * MIB}") as url:
        pipeline = Pipeline(Endpoint(url, api="tgi", token=False))
        for warm in (True, False):
            forget_peak()
            before = resident()
            with suppress(LimitExceededError):
                run_many(pipeline, driver, 1)
                if not warm:
                    raise AssertionError("the line was not refused")
        return resident("VmHWM") - before


@contextmanager
def emulated(*options: str) -> Iterator[str]:
    """Start an emulated endpoint in a process of its own, and give its URL."""
    command = [sys.executable, "-m", "streamkit", "emulate", "--pace", "0", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            introduction = process.stdout.readline() if process.stdout else ""
            yield re.search(r"http://\S+", introduction)[0]  # type: ignore[index]  # it says so
        finally:
            process.kill()


PROBES: Final[dict[str, tuple[str, Callable[[str], int], int]]] = {
    "many": (f"{STREAMS:,} streams, in memory", many, 2 * MIB),
    "many_http": (f"{STREAMS_HTTP:,} streams, HTTP", many_http, 4 * MIB),
    "line": ("one line of 64 MiB", line, 8 * MIB),
}
"""What is measured: how it is called, the measurement, and the most bytes that are allowed."""


def measure(probe: str, driver: str) -> int:
    """Measure in a process of its own."""
    command = [sys.executable, "-m", "chaos.memory", probe, driver]
    return int(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)


if __name__ == "__main__":
    print(PROBES[sys.argv[1]][1](sys.argv[2]))
