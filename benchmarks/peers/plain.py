"""Plain generators, as anyone writes them first: every prefix of every stop sequence is tried on every token."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from benchmarks._job import Counter
from benchmarks._prose import STOPS
from streamkit import Token
from streamkit.transforms.eos import DEFAULT_EOS


def skip(tokens: Iterable[Token]) -> Iterator[str]:
    """Leave special tokens out."""
    for token in tokens:
        if not token.special:
            yield token.text


def stop(pieces: Iterable[str], words: tuple[str, ...]) -> Iterator[str]:
    """End at the first of the words; hold back what may become one."""
    held = ""
    for piece in pieces:
        held += piece
        for word in words:
            if word in held:
                yield held[: held.index(word)]
                return
        hold = max(
            (length for word in words for length in range(1, len(word)) if held.endswith(word[:length])), default=0
        )
        if len(held) > hold:
            yield held[: len(held) - hold]
            held = held[len(held) - hold :]
    yield held


def job(tokens: list[Token]) -> Callable[[], tuple[int, str]]:
    """Return the job; an end mark ends the answer wherever it comes, which is less than `ScrubEos` does."""

    def run() -> tuple[int, str]:
        counter, kept = Counter(), []
        for piece in stop(stop(skip(tokens), STOPS), DEFAULT_EOS):
            if piece:
                counter.on_text(piece)
                kept.append(piece)
        return counter.count, "".join(kept)

    return run
