"""Is streamkit ahead of other libraries on the same job? Those that are not installed are named and left out."""

from __future__ import annotations

import asyncio
import gc
import importlib
import logging
import warnings
from collections.abc import Callable

from benchmarks._job import clean, tokens
from benchmarks._measure import Row, cpu, interleaved, show
from benchmarks.chain import pipeline
from streamkit import from_iterable

PEERS = {
    "plain": "plain generators, naive matcher",
    "llm": "llm",
    "haystack": "haystack-ai",
    "aiostream": "aiostream",
    "openai": "openai's stream helper",
    "pydantic_ai": "pydantic-ai",
    "langchain_core": "langchain-core",
    "litellm": "litellm",
    "genai_processors": "genai-processors",
}
ASYNC = {"aiostream", "pydantic_ai", "genai_processors"}
COUNT = 5_000


def main() -> None:
    """Measure and print."""
    warnings.simplefilter("ignore")
    logging.disable()
    given = tokens(COUNT)
    expected = clean(given)
    jobs: dict[str, Callable[[], float]] = {
        "sync": lambda: cpu(lambda: pipeline(from_iterable(given)).run("Go on.")),
        "async": lambda: cpu(lambda: asyncio.run(pipeline(from_iterable(given)).arun("Go on."))),
    }
    rows: list[Row | str] = []
    for name, title in PEERS.items():
        try:
            job = importlib.import_module(f"benchmarks.peers.{name}").job(given)
            _, text = job()
        except Exception as error:  # noqa: BLE001 - a peer's new version may break anywhere
            rows.append(f"{title}: not measured ({type(error).__name__}: {str(error)[:80]})")
            continue
        if text != expected:
            rows.append(f"{title}: not measured (its text is wrong)")
            continue
        jobs[name] = lambda job=job: cpu(job)
    gc.freeze()  # what so many imports leave is no burden on anyone's rounds
    cost = {name: seconds / COUNT * 1e6 for name, seconds in interleaved(jobs, rounds=5).items()}
    rows = [
        Row(
            what=f"{PEERS[name]} ({colour})",
            ours=cost[colour],
            reference=cost[name],
            inverse=True,
            above=True,
            target=1,
        )
        for name in jobs.keys() - {"sync", "async"}
        for colour in ["async" if name in ASYNC else "sync"]
    ] + rows
    show(
        f"Peers: the chain's job on {COUNT} tokens; the ratio is how many times streamkit is ahead",
        *sorted(rows, key=lambda row: row.reference or 0 if isinstance(row, Row) else 1e9),
    )


if __name__ == "__main__":
    main()
