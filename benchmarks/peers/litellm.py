"""LiteLLM: `completion(stream=True)` from a custom provider."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # no look at the network

import litellm
from litellm import CustomLLM

from benchmarks._job import Cleaner, Counter
from streamkit import Token


class Provider(CustomLLM):
    """A provider that says the tokens."""

    def __init__(self, tokens: list[Token]) -> None:
        super().__init__()
        self.tokens = tokens

    def streaming(self, *_: Any, **__: Any) -> Iterator[dict[str, Any]]:
        """Say them."""
        for token in self.tokens:
            yield {
                "text": "" if token.special else token.text,
                "finish_reason": "",
                "index": 0,
                "is_finished": False,
                "tool_use": None,
                "usage": None,
            }
        yield {"text": "", "finish_reason": "stop", "index": 0, "is_finished": True, "tool_use": None, "usage": None}


def job(tokens: list[Token]) -> Callable[[], tuple[int, str]]:
    """Return the job."""
    litellm.custom_provider_map = [{"provider": "prose", "custom_handler": Provider(tokens)}]
    litellm.suppress_debug_info = True

    def run() -> tuple[int, str]:
        counter, cleaner, kept = Counter(), Cleaner(), []
        for chunk in litellm.completion("prose/a", [{"role": "user", "content": "Go on."}], stream=True):
            shown = cleaner.feed(chunk.choices[0].delta.content or "")
            if shown:
                counter.on_text(shown)
                kept.append(shown)
        kept.append(cleaner.flush())
        return counter.count, "".join(kept)

    return run
