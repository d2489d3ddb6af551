"""Tokens as lines, for looking at a stream."""

from __future__ import annotations

import sys

from streamkit.events import Event, Token
from streamkit.sinks.terminal import write_encodable


def token_line(token: Token) -> str:
    """Describe a token on one line: its id, whether it is special or of another channel, and its text.

    The text is written as Python writes a string, so nothing in it is invisible or a command to the terminal. Where
    a transform changed it, the text that the model produced follows.

    Args:
        token: A token that left the chain.
    """
    marks = ["special"] * token.special + [token.channel] * (token.channel != "text") + ["cont"] * token.cont
    line = f"{'-' if token.id is None else token.id:>7}  {' '.join(marks):<8} {token.text!r}"
    return line if token.raw is None else f"{line}  of {token.raw!r}"


def print_token(event: Event) -> None:
    """Print a token at once; other events are passed over."""
    if type(event) is Token:
        write_encodable(sys.stdout, token_line(event) + "\n")
        sys.stdout.flush()
