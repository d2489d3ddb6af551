"""llm: a model plugin whose response is iterated."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import llm

from benchmarks._job import Cleaner, Counter
from streamkit import Token


class Prose(llm.Model):
    """A model that says the tokens."""

    model_id = "prose"
    can_stream = True

    def __init__(self, tokens: list[Token]) -> None:
        self.tokens = tokens

    def execute(self, *_: Any, **__: Any) -> Iterator[str]:
        """Say them."""
        for token in self.tokens:
            yield "" if token.special else token.text


def job(tokens: list[Token]) -> Callable[[], tuple[int, str]]:
    """Return the job."""
    model = Prose(tokens)

    def run() -> tuple[int, str]:
        counter, cleaner, kept = Counter(), Cleaner(), []
        for text in model.prompt("Go on."):
            shown = cleaner.feed(text)
            if shown:
                counter.on_text(shown)
                kept.append(shown)
        kept.append(cleaner.flush())
        return counter.count, "".join(kept)

    return run
