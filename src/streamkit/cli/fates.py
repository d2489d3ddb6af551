"""What became of each token of a run, told from what went into the chain and what left it."""

from __future__ import annotations

from typing import Literal, TypeAlias

import attrs

from streamkit.events import Event, Finish, Token

Fate: TypeAlias = Literal["passed", "held", "released", "hidden", "joined", "cut", "scrubbed"]


@attrs.define(eq=False)
class TokenFate:
    """One token of the model and what became of it.

    Args:
        token: The token as it was decoded.
        fate: `passed`: all of its text left before another token was read. `held`: some of it has not left yet; then
            `released`, `cut` or `scrubbed`. `hidden`: a special token. `joined`: half a character, whose text left
            with its other half.
        shown: Its text that has left.
        left: Whether it has left, be it without text.
    """

    token: Token
    fate: Fate = "held"
    shown: str = ""
    left: bool = False


class Fates:
    """Follows the tokens of one run; a callback (`on_token`) of the pipeline whose events it is given.

    A transform keeps the ids of tokens and their order, so the first token with an id that has not left yet is the
    one that leaves. Text that has not left when the run ends was part of the stop sequence, or of an end mark.
    """

    def __init__(self) -> None:
        self.tokens: list[TokenFate] = []
        self.text = ""
        self._leaving: TokenFate | None = None

    def on_token(self, token: Token) -> None:
        """Take a token before the chain."""
        self.tokens.append(TokenFate(token))

    def leave(self, event: Event) -> None:
        """Take an event that left the chain."""
        if type(event) is Token:
            self._leave(event)
        elif type(event) is Finish:
            for each in self.tokens:
                if each.fate == "held":
                    each.fate = "cut" if event.reason == "stop_sequence" else "scrubbed"

    def _leave(self, piece: Token) -> None:
        if not piece.cont:
            self._leaving = next(
                (each for each in self.tokens if not each.left and each.token.id == piece.id), self._leaving
            )
        leaving = self._leaving
        if leaving is None:
            return
        leaving.left = True
        leaving.shown += piece.text
        self.text += piece.text
        if leaving.token.special and not leaving.shown:
            leaving.fate = "hidden"
        elif leaving.shown not in leaving.token.text or not leaving.shown:
            leaving.fate = "joined"
        elif len(leaving.shown) < len(leaving.token.text):
            leaving.fate = "held"
        else:
            leaving.fate = "passed" if leaving is self.tokens[-1] and not piece.cont else "released"
