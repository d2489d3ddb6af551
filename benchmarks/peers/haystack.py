"""Haystack: a generator component that gives `StreamingChunk`s to its streaming callback, in a pipeline."""

from __future__ import annotations

import os
from collections.abc import Callable

os.environ["HAYSTACK_TELEMETRY_ENABLED"] = "False"

from haystack import Pipeline, component
from haystack.dataclasses import StreamingChunk

from benchmarks._job import Cleaner, Counter
from streamkit import Token


@component
class Generator:
    """A generator that says the tokens."""

    def __init__(self, tokens: list[Token], streaming_callback: Callable[[StreamingChunk], None]) -> None:
        self.tokens = tokens
        self.streaming_callback = streaming_callback

    @component.output_types(replies=list[str])
    def run(self, prompt: str) -> dict[str, list[str]]:
        """Say them."""
        for token in self.tokens:
            self.streaming_callback(StreamingChunk(content=token.text, meta={"special": token.special}))
        return {"replies": []}


def job(tokens: list[Token]) -> Callable[[], tuple[int, str]]:
    """Return the job."""

    def run() -> tuple[int, str]:
        counter, cleaner, kept = Counter(), Cleaner(), []

        def callback(chunk: StreamingChunk) -> None:
            shown = cleaner.feed(chunk.content, chunk.meta["special"])
            if shown:
                counter.on_text(shown)
                kept.append(shown)

        pipeline = Pipeline()
        pipeline.add_component("generator", Generator(tokens, callback))
        pipeline.run({"generator": {"prompt": "Go on."}})
        kept.append(cleaner.flush())
        return counter.count, "".join(kept)

    return run
