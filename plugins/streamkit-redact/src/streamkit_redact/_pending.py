"""Tokens whose text is not decided yet, and how they leave: whole, in pieces, or masked."""

from __future__ import annotations

from collections import deque

from streamkit import Token


class Pending:
    """The tokens that wait, oldest first.

    1. `show` lets a number of characters go, `hide` takes a number of them away and puts something in their place.
    2. A token's id names the whole of its text, and its probability belongs to the id. A token that has them leaves
       whole or, once all of it is decided and some of it is masked, without them and without `raw`.
    3. A token without them leaves in pieces as they are decided, all but the first marked by `cont`.
    4. A token all of whose text is masked does not leave; one without text leaves when all text before it has.
    """

    __slots__ = ("_begun", "_masked", "_read", "_text", "_tokens")

    def __init__(self) -> None:
        self._tokens: deque[Token] = deque()
        self._read = 0  # of the first token: characters decided,
        self._text = ""  # what is shown for them and has not left,
        self._begun = False  # whether a piece has left,
        self._masked = False  # whether something was masked

    def __bool__(self) -> bool:
        """Whether any token waits."""
        return bool(self._tokens)

    def push(self, token: Token) -> None:
        """Add a token."""
        self._tokens.append(token)

    def show(self, count: int) -> list[Token]:
        """Let `count` characters go, and the tokens without text that then come first."""
        return self._decide(count, visible=True)

    def hide(self, count: int, instead: str) -> list[Token]:
        """Put `instead` in the place of `count` characters, at the first of them."""
        self._text += instead
        return self._decide(count, visible=False)

    def _decide(self, count: int, *, visible: bool) -> list[Token]:
        leaving: list[Token] = []
        while self._tokens:
            token = self._tokens[0]
            taken = min(count, len(token.text) - self._read)
            if taken:
                self._masked |= not visible
                if visible:
                    self._text += token.text[self._read : self._read + taken]
                self._read += taken
                count -= taken
            if self._read < len(token.text):
                if self._text and token.id is None and token.logprob is None:
                    leaving.append(self._piece(token))
                break
            if not (self._begun or self._masked):
                leaving.append(token)
            elif self._text:
                leaving.append(self._piece(token))
            self._tokens.popleft()
            self._read, self._text, self._begun, self._masked = 0, "", False, False
        return leaving

    def _piece(self, token: Token) -> Token:
        text, self._text = self._text, ""
        cont, self._begun = token.cont or self._begun, True
        return Token(text, None, None, token.special, token.channel, None, cont)
