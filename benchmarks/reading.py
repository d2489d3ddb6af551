"""What does it cost to read a server? One HTTP chunk for each token, against huggingface_hub's own client.

The server is another process; what is measured is this process's CPU time. `blast` sends the answer as fast as the
socket takes it, `flush` sends each token by itself.
"""

from __future__ import annotations

import asyncio
import os

os.environ["HF_HUB_DISABLE_TELEMETRY"] = os.environ["DO_NOT_TRACK"] = "1"

from huggingface_hub import AsyncInferenceClient, InferenceClient

from benchmarks._endpoint import endpoint
from benchmarks._measure import Row, cpu, interleaved, show
from streamkit import Endpoint, Pipeline

COUNT = 20_000


def ours(url: str) -> None:
    """Read with streamkit."""
    with Pipeline(Endpoint(url, api="tgi")).stream("Go on.") as stream:
        assert sum(1 for _ in stream.events()) == COUNT + 1


def ours_async(url: str) -> None:
    """Read with streamkit on asyncio."""

    async def read() -> None:
        count = 0
        async with Pipeline(Endpoint(url, api="tgi")).astream("Go on.") as stream:
            async for _ in stream.events():
                count += 1
        assert count == COUNT + 1

    asyncio.run(read())


def hub(url: str) -> None:
    """Read with the client of huggingface_hub."""
    client = InferenceClient(model=url)
    assert sum(1 for _ in client.text_generation("Go on.", stream=True, details=True)) == COUNT


def hub_async(url: str) -> None:
    """Read with the asynchronous client of huggingface_hub."""

    async def read() -> None:
        client = AsyncInferenceClient(model=url)
        count = 0
        async for _ in await client.text_generation("Go on.", stream=True, details=True):
            count += 1
        assert count == COUNT

    asyncio.run(read())


def main() -> None:
    """Measure and print."""
    rows = []
    with endpoint() as base:
        for mode in ("blast", "flush"):
            url = f"{base}/{mode}/{COUNT}"
            taken = interleaved(
                {
                    job.__name__: lambda job=job, url=url: cpu(lambda: job(url))
                    for job in (ours, hub, ours_async, hub_async)
                },
                rounds=5,
            )
            cost = {name: seconds / COUNT * 1e6 for name, seconds in taken.items()}
            for colour, mine, theirs, target in (
                ("sync", "ours", "hub", 10),
                ("async", "ours_async", "hub_async", 12),
            ):
                rows.append(
                    Row(
                        what=f"{mode}, {colour}: against huggingface_hub",
                        ours=cost[mine],
                        reference=cost[theirs],
                        target=target,
                        inverse=True,
                        above=True,
                    )
                )
    show("Reading: HTTP to events, in times the speed of huggingface_hub's client with details", *rows)


if __name__ == "__main__":
    main()
