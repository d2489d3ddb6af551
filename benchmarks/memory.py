"""Does a process that streams for weeks grow? Finished streams must leave nothing, open ones must be small.

A slope is the growth between the middle and the end of many runs, by tracemalloc and by the resident set; an open
stream is one that has had its first token and waits.
"""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path

from benchmarks._endpoint import endpoint
from benchmarks._measure import Row, show
from streamkit import Endpoint, Pipeline, Token, from_iterable, recommended_transforms

IN_MEMORY = 20_000
OVER_HTTP = 2_000
OPEN = 200
CHAIN = recommended_transforms(stop=("\nUser:", "###"))


def resident() -> int:
    """Return the resident set of this process, in bytes."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * 4096


def allocated() -> int:
    """Return what Python has allocated and not freed, in bytes."""
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


def slopes(job: Callable[[], object], count: int) -> tuple[float, float]:
    """Return the growth per run over the second half of so many runs, in bytes: traced, then resident."""
    found = []
    for measure, tracing in ((allocated, True), (resident, False)):
        if tracing:
            tracemalloc.start()
        for _ in range(count // 2):
            job()
        gc.collect()
        before = measure()
        for _ in range(count // 2):
            job()
        gc.collect()
        found.append((measure() - before) / (count // 2))
        if tracing:
            tracemalloc.stop()
    return found[0], found[1]


def slope_rows(what: str, job: Callable[[], object], count: int) -> list[Row]:
    """Return the two slopes of a job."""
    traced, held = slopes(job, count)
    return [
        Row(what=f"{what}, traced", ours=traced, unit="B/stream", target=100),
        Row(what=f"{what}, resident", ours=held, unit="B/stream", target=100),
    ]


def open_sync(pipeline: Pipeline, count: int) -> float:
    """Return what an open stream costs in resident memory, in KiB."""
    with ExitStack() as stack:
        before = resident()
        for _ in range(count):
            next(iter(stack.enter_context(pipeline.stream("Go on."))))
        return (resident() - before) / count / 1024


async def open_async(pipeline: Pipeline, count: int) -> float:
    """Return what an open stream on asyncio costs in resident memory, in KiB."""
    async with AsyncExitStack() as stack:
        before = resident()
        for _ in range(count):
            await anext(aiter(await stack.enter_async_context(pipeline.astream("Go on."))))
        return (resident() - before) / count / 1024


def open_cost(colour: str, url: str) -> float:
    """Return what an open stream costs, measured in a process that has had but a few streams; see `opened`."""
    command = [sys.executable, "-m", "benchmarks.memory", colour, url]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def opened(colour: str, url: str) -> float:
    """Return what an open stream costs, in KiB."""
    pipeline = Endpoint(url, api="tgi") | CHAIN

    async def twice() -> float:
        await open_async(pipeline, 3)  # what the first stream of a process loads is no stream's own
        return await open_async(pipeline, OPEN)

    if colour == "async":
        return asyncio.run(twice())
    open_sync(pipeline, 3)
    return open_sync(pipeline, OPEN)


def main() -> None:
    """Measure and print."""
    memory = Pipeline(from_iterable([Token(text) for text in ("A", " few", "\n", "words", ".")]), transforms=CHAIN)
    rows: list[Row] = []
    with endpoint() as base:
        for colour in ("sync", "async"):
            cost = open_cost(colour, f"{base}/hold/1")
            rows.append(Row(what=f"one of {OPEN} open streams over HTTP, {colour}", ours=cost, unit="KiB", target=100))
        rows += slope_rows(f"{IN_MEMORY} finished streams in memory", lambda: memory.run("Go on."), IN_MEMORY)
        short = Endpoint(f"{base}/flush/5", api="tgi") | CHAIN
        rows += slope_rows(f"{OVER_HTTP} finished streams over HTTP", lambda: short.run("Go on."), OVER_HTTP)
        with asyncio.Runner() as runner:
            rows += slope_rows(
                f"{OVER_HTTP} finished streams over HTTP, async",
                lambda: runner.run(short.arun("Go on.")),
                OVER_HTTP,
            )
    show("Memory: growth of finished streams, size of open ones", *rows)


if __name__ == "__main__":
    if sys.argv[1:]:
        print(opened(*sys.argv[1:]))
    else:
        main()
