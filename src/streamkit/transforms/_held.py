"""Tokens that are held back, and how they leave: whole, or cut at a character."""

from __future__ import annotations

from collections import deque
from typing import Final

from streamkit.events import Token

MAX_CARRIED: Final = 1024
"""Tokens without width that are kept behind held text; a model that sends more repeats one (`<pad>`) for ever."""


class Held:
    """The tokens whose text is held back, oldest first.

    1. `take` lets a number of characters go. Of a token that leaves in pieces, the first carries its id, its
       logprob and its full text in `raw`; the others are marked by `cont`.
    2. `drop` forgets a number of characters. A token that loses all of them does not leave at all, unless it is
       special: then it leaves hidden.
    3. A token without width (no text, or a special one that is not read as text) leaves as soon as all text before
       it has left, and also from amidst dropped text.
    4. At most `MAX_CARRIED` tokens without width are held. Of further ones, those without text are forgotten: that
       loses no text, and to let them go before the held text would change the order of the ids. Those with text must
       not be added: let go what is held when it is `full`.
    """

    __slots__ = ("_begun", "_carried", "_offset", "_tokens", "width")

    def __init__(self) -> None:
        self._tokens: deque[tuple[Token, int]] = deque()
        self._offset = 0  # characters of the first token that are gone
        self._begun = False  # whether a piece of the first token has left
        self._carried = 0  # tokens without width
        self.width = 0

    def __bool__(self) -> bool:
        """Whether any token is held, be it without width."""
        return bool(self._tokens)

    @property
    def full(self) -> bool:
        """Whether as many tokens without width are held as may be."""
        return self._carried >= MAX_CARRIED

    def push(self, token: Token, width: int) -> None:
        """Add a token that counts as so many characters: all of its text, or none."""
        if not width:
            if self._carried >= MAX_CARRIED and not token.text:
                return
            self._carried += 1
        self._tokens.append((token, width))
        self.width += width

    def take(self, count: int) -> list[Token]:
        """Let `count` characters go, and the tokens without width that then come first."""
        self.width -= count
        tokens = self._tokens
        leaving: list[Token] = []
        while tokens:
            token, width = tokens[0]
            left = width - self._offset
            if left > count:
                if count:
                    leaving.append(self._piece(token, self._offset + count))
                    self._begun = True
                    self._offset += count
                break
            leaving.append(token if left == width else self._piece(token, width))
            count -= left
            self._forget()
        return leaving

    def drop(self, count: int) -> list[Token]:
        """Forget `count` characters; return the tokens without width, or hidden, among them and right after them."""
        self.width -= count
        leaving: list[Token] = []
        while self._tokens:
            token, width = self._tokens[0]
            left = width - self._offset
            if left > count:
                self._offset += count
                break
            if not width:
                leaving.append(token)
            elif token.special:
                leaving.append(hidden(token))
            count -= left
            self._forget()
        return leaving

    def _forget(self) -> None:
        """Remove the first token."""
        self._carried -= not self._tokens.popleft()[1]
        self._offset, self._begun = 0, False

    def _piece(self, token: Token, stop: int) -> Token:
        return piece(token, self._offset, stop, begun=self._begun)


def piece(token: Token, start: int, stop: int, *, begun: bool) -> Token:
    """Return a token's text from `start` to `stop`; the whole of it is the same object.

    Args:
        token: The token.
        start: Where the piece begins, in characters.
        stop: Where it ends.
        begun: Whether an earlier piece has left already.
    """
    text = token.text[start:stop]
    if begun:
        return Token(text, None, None, token.special, token.channel, None, True)  # noqa: FBT003 (per-token speed)
    if len(text) == len(token.text):
        return token
    return shown(token, text)


def shown(token: Token, text: str) -> Token:
    """Return a token of which only `text` is shown; what the model produced stays in `raw`."""
    raw = token.text if token.raw is None and not token.cont else token.raw
    return Token(text, token.id, token.logprob, token.special, token.channel, raw, token.cont)


def hidden(token: Token) -> Token:
    """Return a token of which nothing is shown."""
    return shown(token, "") if token.text else token
