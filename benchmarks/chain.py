"""What does the engine cost? The chain against a loop written by hand, synchronous and asynchronous."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from benchmarks._job import Counter, alone, by_hand, by_hand_async, clean, tokens
from benchmarks._measure import Row, cpu, interleaved, show
from benchmarks._prose import STOPS
from streamkit import Collect, Pipeline, ScrubEos, SkipSpecialTokens, StopSequences, Token, from_iterable
from streamkit.protocols import Batch, Composable
from streamkit.request import Request

COUNT = 50_000
BATCH = 32
"""Tokens that one read brings when a server is faster than its reader; a patient reader gets one at a time."""


class Reads(Composable):
    """A source of batches of several tokens, as a network source is."""

    def __init__(self, given: list[Token], size: int) -> None:
        self._batches = [given[at : at + size] for at in range(0, len(given), size)]

    @contextmanager
    def open(self, request: Request) -> Iterator[Iterator[Batch]]:
        """Give the batches."""
        yield iter(self._batches)

    @asynccontextmanager
    async def aopen(self, request: Request) -> AsyncIterator[AsyncIterator[Batch]]:
        """Give the batches."""

        async def batches() -> AsyncIterator[Batch]:
            for batch in self._batches:
                yield batch

        yield batches()


def pipeline(source: object) -> Pipeline:
    """Return the job as a pipeline."""
    return Pipeline(
        source,
        transforms=(SkipSpecialTokens(), StopSequences(STOPS), ScrubEos()),
        sinks=(Collect(),),
        callbacks=(Counter(),),
    )


def main() -> None:
    """Measure and print."""
    given = tokens(COUNT)
    expected = clean(given)
    assert by_hand(given, Counter())[1] == expected

    def job(source: object) -> None:
        assert pipeline(source).run("Go on.").text == expected

    def ajob(source: object) -> None:
        assert asyncio.run(pipeline(source).arun("Go on.")).text == expected

    def iterated() -> None:
        with pipeline(from_iterable(given)).stream("Go on.") as stream:
            assert "".join(stream) == expected

    async def aiterated() -> None:
        async with pipeline(from_iterable(given)).astream("Go on.") as stream:
            assert "".join([text async for text in stream]) == expected

    loop = by_hand_async()

    async def ahand() -> None:
        assert (await loop(alone(given), Counter()))[1] == expected

    reads = Reads(given, BATCH)
    taken = interleaved(
        {
            "hand": lambda: cpu(lambda: by_hand(given, Counter())),
            "hand async": lambda: cpu(lambda: asyncio.run(ahand())),
            "sync": lambda: cpu(lambda: job(from_iterable(given))),
            "async": lambda: cpu(lambda: ajob(from_iterable(given))),
            "sync reads": lambda: cpu(lambda: job(reads)),
            "async reads": lambda: cpu(lambda: ajob(reads)),
            "sync iterated": lambda: cpu(iterated),
            "async iterated": lambda: cpu(lambda: asyncio.run(aiterated())),
        },
        rounds=9,
    )
    cost = {name: seconds / COUNT * 1e6 for name, seconds in taken.items()}
    show(
        "Chain: SkipSpecialTokens, StopSequences (8), ScrubEos, on_text, Collect, against a loop by hand of its colour",
        Row(what="sync, each token by itself", ours=cost["sync"], reference=cost["hand"], target=3),
        Row(what="async, each token by itself", ours=cost["async"], reference=cost["hand async"], target=3),
        Row(what=f"sync, {BATCH} tokens a read", ours=cost["sync reads"], reference=cost["hand"], target=3),
        Row(what=f"async, {BATCH} tokens a read", ours=cost["async reads"], reference=cost["hand async"], target=3),
        Row(what="sync, by itself, iterated over too", ours=cost["sync iterated"], reference=cost["hand"]),
        Row(what="async, by itself, iterated over too", ours=cost["async iterated"], reference=cost["hand async"]),
    )


if __name__ == "__main__":
    main()
