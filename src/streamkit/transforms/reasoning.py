"""Tell a model's reasoning from its answer where both arrive in one text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import attrs

from streamkit.events import Event, Token
from streamkit.protocols import Machine
from streamkit.request import Request
from streamkit.transforms._excise import Excise
from streamkit.transforms._matcher import matcher
from streamkit.transforms._tags import TagPair, pairs_of

DEFAULT_TAGS: tuple[TagPair, ...] = (("<think>", "</think>"),)
"""The tags of DeepSeek-R1, Qwen3 and most models after them."""


def _pairs(tags: Iterable[Iterable[str]]) -> tuple[TagPair, ...]:
    return pairs_of(tags, "reasoning", DEFAULT_TAGS)


@attrs.frozen(kw_only=True)
class SplitReasoning:
    """Sends the text between reasoning tags to the channel `"reasoning"` and drops the tags.

    1. Holds back exactly the text that can still grow into the tag that is legal now: an opening tag in the answer,
       the closing tag of the same pair in the reasoning.
    2. Releases it as soon as it cannot, or at the end of the stream, to the channel it was read on. Text before a
       tag goes to the channel before it; text behind it is searched anew.
    3. Never ends the stream. A special token whose whole text is the legal tag is that tag; put this before
       `SkipSpecialTokens`. Other special tokens do not disturb a tag around them, unless there are more than 1,024.
    4. Costs constant time for each character, and one new token for each token of reasoning.

    Only the channel `"text"` is read; reasoning that the engine has split off already passes untouched. Before a
    run, stop hints of later transforms are removed: the server would stop inside the reasoning.

    Args:
        tags: Pairs of an opening and a closing tag.
        start_inside: Whether the stream begins inside the first pair, because the prompt ends with its opening tag.

    Raises:
        ConfigurationError: There is no pair, a pair has not two different tags, or a tag is empty or not a string.
    """

    tags: tuple[TagPair, ...] = attrs.field(default=DEFAULT_TAGS, converter=_pairs)
    start_inside: bool = False

    def start(self) -> Machine:
        """Return the machine of a new run."""
        return _SplitReasoning(dict(self.tags), self.tags[0][1] if self.start_inside else None)

    def prepare(self, request: Request) -> Request:
        """Remove the stop hints: a stop sequence behind the split must not stop the reasoning on the server."""
        return attrs.evolve(request, stop=()) if request.stop else request


class _SplitReasoning(Excise):
    __slots__ = ("_answer", "_closing", "_inside")

    def __init__(self, closing: dict[str, str], inside: str | None) -> None:
        self._answer = matcher(tuple(closing))
        self._closing = closing
        self._inside = inside is not None
        super().__init__(self._answer if inside is None else matcher((inside,)), "text")

    def triggers(self) -> frozenset[str] | None:
        return None if self._inside else super().triggers()

    def _found(self, word: str) -> Sequence[Event]:
        self._inside = not self._inside
        self._matcher = matcher((self._closing[word],)) if self._inside else self._answer
        return ()

    def _found_special(self, token: Token) -> Sequence[Event]:
        leaving = self._place(self._held.take(self._held.width))
        self._found(token.text if token.raw is None else token.raw)
        self._node = self._matcher.root
        return leaving

    def _place(self, tokens: Sequence[Token]) -> Sequence[Event]:
        if not self._inside:
            return tokens
        return [Token(t.text, t.id, t.logprob, t.special, "reasoning", t.raw, t.cont) for t in tokens]
