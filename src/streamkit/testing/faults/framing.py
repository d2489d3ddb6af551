"""Answers that are complete and unusual: what a standard allows and readers stumble over, and what it does not."""

from __future__ import annotations

from streamkit.testing.emulator.acts import Act, Comment, Filler, Message, Pause
from streamkit.testing.emulator.fault import Fault
from streamkit.testing.faults._shapes import Rewritten, Within

SEPARATORS = "\u2028\u2029\u0085"
"""What `str.splitlines` takes for the end of a line, and neither JSON nor server-sent events do."""
ESCAPES = "\0\x1b]0;owned\x07\x1b[2J\x9b31m"
"""NUL, and commands that rename, clear and colour a terminal."""
OWL = "é🦉"
"""Characters of two and of four bytes in UTF-8."""

_MARK = "\ufffc"  # stands where bytes that are not UTF-8 will be


def bom() -> Fault:
    """A byte order mark comes first."""
    return Rewritten(_bom)


def _bom(data: bytes, number: int) -> tuple[Act, ...]:
    return (data,) if number else (b"\xef\xbb\xbf" + data,)


def cr() -> Fault:
    """Lines end in CR alone."""
    return Rewritten(_cr)


def _cr(data: bytes, _number: int) -> tuple[Act, ...]:
    return (data.replace(b"\n", b"\r"),)


def crlf() -> Fault:
    """Lines end in CR and LF, and the two come apart."""
    return Rewritten(_crlf)


def _crlf(data: bytes, _number: int) -> tuple[Act, ...]:
    *lines, rest = data.split(b"\n")
    pieces = [piece for line in lines for piece in (line + b"\r", b"\n")]
    return (*pieces, rest) if rest else tuple(pieces)


def nospace() -> Fault:
    """No space follows the colon after `data`."""
    return Rewritten(_nospace)


def _nospace(data: bytes, _number: int) -> tuple[Act, ...]:
    return (data.replace(b"data: ", b"data:", 1),)


def multiline() -> Fault:
    """The data of an event comes in two lines."""
    return Rewritten(_multiline)


def _multiline(data: bytes, _number: int) -> tuple[Act, ...]:
    return (data.replace(b"data: {", b"data: {\ndata: ", 1),)


def comments() -> Fault:
    """A keep-alive comment comes before every event."""
    return Rewritten(_comments)


def _comments(data: bytes, _number: int) -> tuple[Act, ...]:
    return (Comment(), data)


def nul(text: str = ESCAPES) -> Fault:
    """The model says control characters, after its first token.

    Args:
        text: What it says.
    """
    return Rewritten(say_also=text)


def u2028(text: str = SEPARATORS) -> Fault:
    """The model says line separators, after its first token; JSON leaves them as they are.

    Args:
        text: What it says.
    """
    return Rewritten(say_also=text)


def split_utf8(text: str = OWL) -> Fault:
    """The model says characters of several bytes, after its first token, and they come in pieces.

    Args:
        text: What it says.
    """
    return Rewritten(_split, text)


def _split(data: bytes, _number: int) -> tuple[Act, ...]:
    acts: list[Act] = []
    start = 0
    for place, byte in enumerate(data):
        if byte & 0b1100_0000 == 0b1000_0000:
            acts += (data[start:place], Pause(0.005))
            start = place
    return (*acts, data[start:])


def bad_utf8() -> Fault:
    """The model says a word with bytes that are not UTF-8, `ca<FF FE>fe`, after its first token."""
    return Rewritten(_invalid, f" ca{_MARK}fe")


def _invalid(data: bytes, _number: int) -> tuple[Act, ...]:
    return (data.replace(_MARK.encode(), b"\xff\xfe"),)


def bad_json(tokens: int = 2) -> Fault:
    """The data of one event is not JSON; the answer goes on after it.

    Args:
        tokens: Tokens before it.
    """
    return Within(tokens, (Message(b'{"token": {"text": "oops'),), then="go on")


def bigline(size: int = 64 * 2**20, tokens: int = 1) -> Fault:
    """One line is very long; the answer goes on after it.

    Args:
        size: Its length, in bytes.
        tokens: Tokens before it.
    """
    return Within(tokens, (b"data: ", Filler(size - 6), b"\n\n"), then="go on")
