"""End the stream at the first of some words."""

from __future__ import annotations

from collections.abc import Sequence

from streamkit.events import Event, Finish, FinishReason, Token
from streamkit.transforms._held import Held, piece
from streamkit.transforms._matcher import Matcher, Node


class Cut:
    """Ends the stream at the first of some words on one channel.

    1. Holds back the longest suffix of the text that can still grow into a word; with `include`, nothing.
    2. Releases it as soon as it cannot, or at the end of the stream.
    3. Stops when a word is complete: the text before it leaves (with it, if `include`), then a `Finish`. A special
       token that is not read as text stops too if its whole text is a word; text held before it leaves first.
       Other special tokens do not disturb a match around them, unless there are more than `MAX_CARRIED` that show
       text.
    4. Costs constant time for each character, however many words there are; a token that can neither begin nor
       continue a word is returned as it is.

    Args:
        matcher: The words.
        channel: The channel to read; tokens of others pass at once.
        reason: Why the stream ends when a word is complete.
        include: Whether the word itself is shown.
        specials_are_text: Whether the text of a special token is read like other text where it is visible.
    """

    __slots__ = (
        "_channel",
        "_free",
        "_held",
        "_include",
        "_matcher",
        "_node",
        "_reason",
        "_root",
        "_specials_are_text",
    )

    def __init__(
        self, matcher: Matcher, channel: str, *, reason: FinishReason, include: bool, specials_are_text: bool
    ) -> None:
        self._matcher = matcher
        self._channel = channel
        self._reason: FinishReason = reason
        self._include = include
        self._specials_are_text = specials_are_text
        self._root = matcher.root
        self._node: Node | None = matcher.root  # None: the stream has ended
        self._free = matcher.firsts.isdisjoint
        self._held = Held()

    def feed(self, event: Event) -> Sequence[Event]:
        """Take an event; see the outcomes above."""
        node = self._node
        if not isinstance(event, Token) or event.channel != self._channel:
            return () if node is None else (event,)
        if node is self._root and not event.special and self._free(event.text):
            return (event,)
        if node is None:
            return ()
        if event.special and not (event.text and self._specials_are_text):
            return self._atom(event)
        return self._read(event, node)

    def triggers(self) -> frozenset[str] | None:
        """Return the characters that matter now; see `WatchfulMachine`."""
        return self._matcher.firsts if self._node is self._root and self._channel == "text" else None

    def flush(self) -> Sequence[Event]:
        """Release what is held: the words it might have become did not come."""
        if self._node is None:
            return ()
        self._node = None
        return self._held.take(self._held.width)

    def _read(self, token: Token, before: Node) -> Sequence[Event]:
        node = self._matcher.walk(before, token.text)
        if node.word is not None:
            return self._end_in(token, before, node.word)
        self._node = node
        if self._include or (before.depth == 0 and node.depth == 0):
            return (token,)
        held = self._held
        held.push(token, len(token.text))
        free = held.width - node.depth
        return held.take(free) if free else ()

    def _end_in(self, token: Token, before: Node, word: str) -> Sequence[Event]:
        start = (before.witness[: before.depth] + token.text).find(word)
        if self._include:
            return self._end([piece(token, 0, start + len(word) - before.depth, begun=False)], word)
        self._held.push(token, len(token.text))
        return self._end(self._held.take(start), word)

    def _atom(self, token: Token) -> Sequence[Event]:
        whole = token.text if token.raw is None else token.raw
        if whole in self._matcher.words:
            return self._end(self._held.take(self._held.width), whole)
        if not self._held:
            return (token,)
        if token.text and self._held.full:
            self._node = self._root
            return [*self._held.take(self._held.width), token]
        self._held.push(token, 0)
        return ()

    def _end(self, leaving: list[Token], word: str) -> Sequence[Event]:
        self._node = None
        stop = word if self._reason == "stop_sequence" else None
        return [*leaving, Finish(reason=self._reason, stop=stop)]
