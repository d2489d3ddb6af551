"""Take every occurrence of some words out of the text and go on."""

from __future__ import annotations

from collections.abc import Sequence

from streamkit.events import Event, Token
from streamkit.transforms._held import Held
from streamkit.transforms._matcher import Matcher, Node


class Excise:
    """Takes out every occurrence of some words on one channel, left to right, none overlapping another.

    1. Holds back the longest suffix of the text that can still grow into a word.
    2. Releases it as soon as it cannot, or at the end of the stream. Text that comes together because a word
       between was taken out is not searched again.
    3. Never ends the stream. A special token whose whole text is a word goes to `_found_special`; other special
       tokens do not disturb a match around them, unless there are more than `MAX_CARRIED` that show text.
    4. Costs constant time for each character, however many words there are.

    A subclass decides what an occurrence means (`_found`) and where text goes (`_place`).

    Args:
        matcher: The words.
        channel: The channel to read; tokens of others pass at once.
    """

    __slots__ = ("_channel", "_held", "_matcher", "_node")

    def __init__(self, matcher: Matcher, channel: str) -> None:
        self._channel = channel
        self._matcher = matcher
        self._node: Node | None = matcher.root  # None: the stream has ended
        self._held = Held()

    def feed(self, event: Event) -> Sequence[Event]:
        """Take an event; see the outcomes above."""
        node = self._node
        if node is None:
            return ()
        if not isinstance(event, Token) or event.channel != self._channel:
            return (event,)
        if event.special:
            return self._atom(event)
        if node.depth == 0 and self._matcher.firsts.isdisjoint(event.text):
            return self._place((event,))
        return self._read(event, node)

    def triggers(self) -> frozenset[str] | None:
        """Return the characters that matter now; see `WatchfulMachine`."""
        return self._matcher.firsts if self._node is self._matcher.root and self._channel == "text" else None

    def flush(self) -> Sequence[Event]:
        """Release what is held: the words it might have become did not come."""
        if self._node is None:
            return ()
        self._node = None
        return self._place(self._held.take(self._held.width))

    def _read(self, token: Token, node: Node) -> Sequence[Event]:
        held, text, position = self._held, token.text, 0
        held.push(token, len(text))
        leaving: list[Event] = []
        while position < len(text):
            node, position = self._matcher.search(node, text, position)
            if node.word is not None:
                unread = len(text) - position
                leaving += self._place(held.take(held.width - unread - node.depth))
                leaving += self._place(held.drop(node.depth))
                leaving += self._found(node.word)
                node = self._matcher.root
        leaving += self._place(held.take(held.width - node.depth))
        self._node = node
        return leaving

    def _atom(self, token: Token) -> Sequence[Event]:
        if (token.text if token.raw is None else token.raw) in self._matcher.words:
            return self._found_special(token)
        if not self._held:
            return self._place((token,))
        if token.text and self._held.full:
            self._node = self._matcher.root
            return self._place([*self._held.take(self._held.width), token])
        self._held.push(token, 0)
        return ()

    def _found(self, word: str) -> Sequence[Event]:  # noqa: ARG002 - for those to whom it means something
        """Return what leaves in the place of a word that was taken out of the text."""
        return ()

    def _found_special(self, token: Token) -> Sequence[Event]:
        """Decide what becomes of a special token whose whole text is a word."""
        raise NotImplementedError

    def _place(self, tokens: Sequence[Token]) -> Sequence[Event]:
        """Return the tokens as they leave."""
        return tokens
