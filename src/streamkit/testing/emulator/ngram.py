"""A very small language model: it counts which word pieces follow each other in a travel guide.

For demonstrations without a network and a GPU. It is not a language model in any serious sense and says so when
asked; the text it learns from was written for it and is shipped with this package.
"""

from __future__ import annotations

import functools
import math
import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from importlib.resources import files

import attrs

from streamkit.testing.emulator.script import ScriptedToken

EOS = "</s>"
_START = "<s>"
_PIECE = re.compile(r" ?\w{1,7}|\n+| ?[^\w\s]+?|\s")
_BACKOFF = (0.002, 0.02, 0.2, 1.0)
"""How much a continuation counts after the last 1, 2, 3 and 4 pieces."""
_ON_TOPIC = 50
"""How many times more the passage that fits the question counts than the rest of the guide."""
_FILLERS = frozenset(
    re.findall(
        r"\w+",
        "a about and are assistant can do does for from give how i in is it me my of on please tell the there tip tips "
        "to user what when where which who with you",
    )
)
"""Words that say nothing about what a question is about."""


def split_pieces(text: str) -> list[str]:
    """Cut text into word pieces; a piece at the start of a word carries the space before it."""
    return _PIECE.findall(text)


@attrs.frozen(kw_only=True)
class Sampling:
    """How to choose among possible continuations.

    Args:
        temperature: Above 1 bolder, below 1 safer; `None` for always the likeliest continuation.
        top_k: Choose among this many of the likeliest; `None` for all.
        top_p: Choose among the likeliest that make up this much probability; `None` for all.
        seed: Start of the dice; equal seeds give equal answers.
    """

    temperature: float | None = None
    top_k: int | None = None
    top_p: float | None = None
    seed: int = 0


class _Counts:
    """How often each piece follows each run of one to four pieces."""

    def __init__(self, passages: Iterable[Sequence[str]]) -> None:
        self._after: defaultdict[tuple[str, ...], Counter[str]] = defaultdict(Counter)
        for passage in passages:
            for end, piece in enumerate(passage):
                for start in range(max(0, end - len(_BACKOFF)), end):
                    self._after[tuple(passage[start:end])][piece] += 1

    def knows(self, context: Sequence[str]) -> bool:
        return tuple(context) in self._after

    def weigh(self, context: Sequence[str], share: float, weights: defaultdict[str, float]) -> None:
        for known, backoff in enumerate(_BACKOFF[: len(context)], 1):
            following = self._after.get(tuple(context[-known:]))
            if following:
                unit = share * backoff / following.total()
                for piece, count in following.items():
                    weights[piece] += unit * count


@attrs.frozen(eq=False)
class _Passage:
    """One answer of the guide, with the words of its question."""

    topic: frozenset[str]
    pieces: tuple[str, ...]
    counts: _Counts


class Ngram:
    """The model: continues a known sentence, and answers anything else from the passage that fits best.

    1. Words that the question of a passage shares with the prompt choose the passage; rare words count more.
    2. A prompt whose last three pieces are in the guide is continued; otherwise the passage's answer begins. With no
       word in common, that is the first passage.
    3. Each piece is drawn from the counts after the last one to four pieces, most of all those of the chosen passage.
    4. The end of a passage is the end-of-sequence token, `</s>`.

    Args:
        guide: Text to learn from: `User:` and `Assistant:` turns, each passage ended by `</s>`.
    """

    def __init__(self, guide: str) -> None:
        self._passages: list[_Passage] = []
        for passage in filter(None, (each.strip() for each in guide.split(EOS))):
            question, _, answer = passage.partition("\nAssistant:")
            pieces = (_START, *split_pieces(answer), EOS)
            self._passages.append(_Passage(_words(question), pieces, _Counts([pieces])))
        self._counts = _Counts(passage.pieces for passage in self._passages)
        self._rarity = Counter(word for passage in self._passages for word in passage.topic)
        self._ids = {piece: number for number, piece in enumerate(self._vocabulary(), 1)}

    def continue_text(self, prompt: str, sampling: Sampling) -> Iterator[ScriptedToken]:
        """Yield what follows a prompt, up to and with the end-of-sequence token.

        Args:
            prompt: The text so far.
            sampling: How to choose.

        Yields:
            Tokens with ids and log probabilities.
        """
        dice = random.Random(sampling.seed)  # noqa: S311 - a toy model, reproducible on purpose
        passage = self._fitting(prompt)
        text = split_pieces(prompt)[-3:]
        if prompt.endswith("Assistant:") or not self._counts.knows(text):
            text = [_START]
        while text[-1] != EOS:
            piece, probability = self._draw(passage, text, sampling, dice)
            text = [*text[1 - len(_BACKOFF) :], piece]
            yield ScriptedToken(piece, piece == EOS, self._ids[piece], round(math.log(probability), 4))

    def _draw(
        self, passage: _Passage, context: Sequence[str], sampling: Sampling, dice: random.Random
    ) -> tuple[str, float]:
        weights: defaultdict[str, float] = defaultdict(float)
        self._counts.weigh(context, 1.0, weights)
        passage.counts.weigh(context, _ON_TOPIC, weights)
        total = sum(weights.values())
        ranked = sorted(weights, key=lambda piece: (-weights[piece], piece))[: sampling.top_k]
        if sampling.top_p is not None:
            ranked = _nucleus(ranked, weights, sampling.top_p * total)
        if sampling.temperature is None:
            chosen = ranked[0]
        else:
            heat = 1 / sampling.temperature
            chosen = dice.choices(ranked, [(weights[piece] / weights[ranked[0]]) ** heat for piece in ranked])[0]
        return chosen, weights[chosen] / total

    def _fitting(self, prompt: str) -> _Passage:
        asked = _words(prompt.rpartition("User:")[2])
        return max(self._passages, key=lambda passage: sum(1 / self._rarity[word] for word in passage.topic & asked))

    def _vocabulary(self) -> list[str]:
        pieces = {piece for passage in self._passages for piece in passage.pieces}
        return [_START, EOS, *sorted(pieces - {_START, EOS})]


@functools.cache
def travel_guide() -> Ngram:
    """Return the model of the shipped guide, trained on first use."""
    return Ngram(files("streamkit.testing.emulator").joinpath("corpus.txt").read_text(encoding="utf-8"))


def _words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", text.lower())) - _FILLERS


def _nucleus(ranked: Sequence[str], weights: dict[str, float], mass: float) -> list[str]:
    kept: list[str] = []
    while mass > 0 and len(kept) < len(ranked):
        kept.append(ranked[len(kept)])
        mass -= weights[kept[-1]]
    return kept
