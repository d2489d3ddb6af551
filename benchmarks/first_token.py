"""What does it add to the first token? From the question to the token, against a socket read bare; wall time."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable
from urllib.parse import urlsplit

from benchmarks._endpoint import endpoint
from benchmarks._measure import Row, interleaved, show
from streamkit import Endpoint, Pipeline, recommended_transforms


def bare(url: str) -> float:
    """Return the seconds to the first event over a socket."""
    parts = urlsplit(url)
    start = time.perf_counter()
    with socket.create_connection((parts.hostname or "", parts.port or 80)) as sock:
        sock.sendall(f"POST {parts.path} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{{}}".encode())
        got = b""
        while b"data:" not in got:
            got += sock.recv(65536)
        return time.perf_counter() - start


def ours(pipeline: Pipeline) -> float:
    """Return the seconds to the first piece of text."""
    start = time.perf_counter()
    with pipeline.stream("Go on.") as stream:
        next(iter(stream))
        return time.perf_counter() - start


def ours_async(pipeline: Pipeline) -> float:
    """Return the seconds to the first piece of text on asyncio, whose loop runs already."""

    async def read() -> float:
        start = time.perf_counter()
        async with pipeline.astream("Go on.") as stream:
            await anext(aiter(stream))
            return time.perf_counter() - start

    return asyncio.run(read())


def quietly(job: Callable[[], float]) -> float:
    """Run a job when the server has put the stream before it away."""
    time.sleep(0.01)
    return job()


def main() -> None:
    """Measure and print."""
    with endpoint() as base:
        url = f"{base}/hold/1"
        pipeline = Endpoint(url, api="tgi") | recommended_transforms(stop=("\nUser:",))
        taken = interleaved(
            {
                "bare": lambda: quietly(lambda: bare(url)),
                "sync": lambda: quietly(lambda: ours(pipeline)),
                "async": lambda: quietly(lambda: ours_async(pipeline)),
            },
            rounds=60,
        )
    show(
        "First token: what the recommended chain over HTTP adds to a bare socket, warmed up",
        *(
            Row(
                what=f"{colour}: to the first text, with the connection",
                ours=taken[colour] * 1e3,
                reference=taken["bare"] * 1e3,
                unit="ms",
            )
            for colour in ("sync", "async")
        ),
        *(
            Row(what=f"{colour}: added", ours=(taken[colour] - taken["bare"]) * 1e3, unit="ms")
            for colour in ("sync", "async")
        ),
    )


if __name__ == "__main__":
    main()
