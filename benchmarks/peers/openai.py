"""openai's streaming helper: `ChatCompletionStreamState` turns chunks into events and accumulates the answer."""

from __future__ import annotations

from collections.abc import Callable

from openai.lib.streaming.chat import ChatCompletionStreamState
from openai.types.chat import ChatCompletionChunk

from benchmarks._job import Cleaner, Counter
from streamkit import Token


def job(tokens: list[Token]) -> Callable[[], tuple[int, str]]:
    """Return the job; the chunks are made beforehand."""
    chunks = [
        ChatCompletionChunk.model_validate(
            {
                "id": "1",
                "object": "chat.completion.chunk",
                "created": 1,
                "model": "prose",
                "choices": [{"index": 0, "delta": {"role": "assistant", "content": text}, "finish_reason": None}],
            }
        )
        for text in ("" if token.special else token.text for token in tokens)
    ]

    def run() -> tuple[int, str]:
        counter, cleaner, kept = Counter(), Cleaner(), []
        state = ChatCompletionStreamState()
        for chunk in chunks:
            for event in state.handle_chunk(chunk):
                if event.type == "content.delta":
                    shown = cleaner.feed(event.delta)
                    if shown:
                        counter.on_text(shown)
                        kept.append(shown)
        kept.append(cleaner.flush())
        return counter.count, "".join(kept)

    return run
