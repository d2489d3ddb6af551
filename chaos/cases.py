"""What goes wrong in a trial: the eight rows of the matrix."""

from __future__ import annotations

from random import Random
from typing import Final

import attrs

from streamkit.errors import LimitExceededError, SinkError, StreamTimeoutError, TruncatedStreamError
from streamkit.testing import Fault, ScriptedToken
from streamkit.testing.faults import bigline, cut_after, endless, stall

EOS: Final = ScriptedToken("</s>", special=True)
WORDS: Final = ("The", " owl", "\n", " of", " Nürnberg", " 🦉", " sees", " ☾", " far", " and", " wide", ".")
TRUTH: Final = "".join(WORDS)


class BugError(Exception):
    """What a sink or a hook of somebody else raises."""


@attrs.frozen(kw_only=True)
class Case:
    """One way for a trial to go wrong.

    Args:
        faults: What the server does.
        sent: Tokens that reach the client whole; more may, where the consumer is what fails.
        outcome: How the run must end.
        error: What must be raised.
        half_open: The connection is gone after the tokens, without a word.
        leaves: The consumer leaves after the tokens.
        breaks: The `sink` or the `hook` that raises at the last of the tokens.
        slow: Seconds that the consumer takes for each token.
    """

    faults: tuple[Fault, ...] = ()
    sent: int
    outcome: str
    error: type[Exception] | None = None
    half_open: bool = False
    leaves: bool = False
    breaks: str = ""
    slow: float = 0.0


def cut(dice: Random) -> Case:
    """The connection breaks, or the body ends, after some tokens."""
    sent, how = dice.randrange(len(WORDS)), dice.choice(("clean", "fin", "eof", "rst"))
    fault = cut_after(sent, how)  # type: ignore[arg-type]  # mypy forgets the literals
    return Case(faults=(fault,), sent=sent, outcome="failed", error=TruncatedStreamError)


def endless_line(dice: Random) -> Case:
    """A line comes that does not end."""
    sent = dice.randrange(len(WORDS))
    return Case(faults=(bigline(2**22, sent),), sent=sent, outcome="failed", error=LimitExceededError)


def stalled(dice: Random) -> Case:
    """No token comes any more."""
    sent = dice.randrange(len(WORDS))
    return Case(faults=(stall(sent),), sent=sent, outcome="failed", error=StreamTimeoutError)


def half_open(dice: Random) -> Case:
    """The network is gone, and nobody says so."""
    return Case(sent=dice.randrange(len(WORDS)), outcome="failed", error=StreamTimeoutError, half_open=True)


def consumer_leaves(dice: Random) -> Case:
    """The consumer breaks out of its loop, and the server would go on for ever."""
    return Case(faults=(endless(),), sent=dice.randrange(1, len(WORDS)), outcome="aborted", leaves=True)


def sink_raises(dice: Random) -> Case:
    """Another sink fails."""
    return Case(sent=dice.randrange(1, len(WORDS)), outcome="failed", error=SinkError, breaks="sink")


def hook_raises(dice: Random) -> Case:
    """An observer fails."""
    return Case(sent=dice.randrange(1, len(WORDS)), outcome="failed", error=BugError, breaks="hook")


def slow_reader(dice: Random) -> Case:
    """The consumer is slower than the server, whose connection breaks before the consumer has seen half."""
    if dice.random() < 0.5:
        return Case(sent=len(WORDS), outcome="completed", slow=0.002)
    fault = cut_after(len(WORDS) - 1, dice.choice(("fin", "rst")))
    return Case(faults=(fault,), sent=len(WORDS) - 1, outcome="failed", error=TruncatedStreamError, slow=0.002)


CASES: Final = {
    make.__name__.replace("_", " "): make
    for make in (cut, endless_line, stalled, half_open, consumer_leaves, sink_raises, hook_raises, slow_reader)
}
"""The rows by name."""
