"""Where the tokens of one run are in its chain, and what each transform did to them."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Literal, TypeAlias

import attrs

from streamkit.events import Token
from streamkit.protocols import Transform
from streamkit.transforms import RepairText

Fate: TypeAlias = Literal["passed", "held", "released", "hidden", "joined", "changed", "cut", "scrubbed"]


@attrs.define(eq=False)
class Trace:
    """One token of the model on its way.

    Args:
        number: Its place in the answer, from 0.
        token: As it was decoded.
        at: When it came, in seconds from the start.
        piece: As it was when it last left a transform.
        texts: Its text behind each transform that it has left.
        channel: Where its text went.
        held_by: The first transform that it left later than it came.
        left: When it last left the chain.
        lost: Whether a transform has let a later token go without it.
        fate: What became of it, as far as `Trail.changes` could tell.
        by: The transform that decided so, by its place in the chain.
    """

    number: int
    token: Token
    at: float
    piece: Token
    texts: list[str] = attrs.field(factory=list)
    channel: str = "text"
    held_by: int | None = None
    left: float | None = None
    lost: bool = False
    fate: Fate = "held"
    by: int | None = None
    _told: object = attrs.field(default=None, init=False)

    @property
    def shown(self) -> str:
        """Its text that has left the chain."""
        if self.left is None:
            return ""
        return self.texts[-1] if self.texts else self.token.text

    def is_news(self) -> bool:
        """Tell whether something of it has changed since this was last asked."""
        known = (self.fate, self.by, tuple(self.texts), self.left, self.channel)
        before, self._told = self._told, known
        return known != before


class Trail:
    """Follows tokens through a chain, from what goes into each transform and what leaves it.

    A transform keeps tokens in their order, and what the model wrote in `raw`: by that a token that leaves is known
    again among those that wait, and what waited before it will not leave any more. What became of a token is told by
    the first transform that did not let its text pass:

    - `passed`, or `released` if a transform kept it waiting for a while; `held` while one does.
    - `hidden`: a special token without its text. `joined`: half a character, whose text left with its other half.
    - `cut`: the stop sequence, and what came behind it. `scrubbed`: other text that was taken out.
    - `changed`: it left with another text.

    Args:
        transforms: The chain.
        clock: Seconds, monotonic.
    """

    def __init__(self, transforms: Sequence[Transform], clock: Callable[[], float] = time.monotonic) -> None:
        self._joins = [isinstance(each, RepairText) for each in transforms]
        self._waiting: list[deque[Trace]] = [deque() for _ in transforms]
        self._leaving: list[Trace | None] = [None for _ in transforms]
        self._newest: Trace | None = None
        self._clock = clock
        self._started = clock()
        self._count = 0
        self._open: dict[int, Trace] = {}
        self._ended_by: str | None = None
        self.ended = False

    def enter(self, token: Token) -> None:
        """Take a token before the chain."""
        trace = Trace(self._count, token, self._now(), token, channel=token.channel)
        self._count += 1
        self._newest = self._open[trace.number] = trace
        if self._waiting:
            self._waiting[0].append(trace)
        else:
            trace.left = trace.at

    def leave(self, stage: int, piece: Token) -> None:
        """Take a token, or a piece of one, that left a transform.

        Args:
            stage: The transform's place in the chain.
            piece: What left.
        """
        trace = self._leaving[stage]
        if not piece.cont:
            trace = self._known_again(stage, piece)
            if trace is None:
                return  # of the transform's own making
            trace.piece = piece
            self._leaving[stage] = trace
            trace.texts.append(piece.text)
            if stage + 1 < len(self._waiting):
                self._waiting[stage + 1].append(trace)
        elif trace is None:
            return
        else:
            trace.texts[stage] += piece.text
        if trace.held_by is None and (trace is not self._newest or piece.cont or self.ended):
            trace.held_by = stage
        trace.channel = piece.channel
        self._open[trace.number] = trace
        if stage + 1 == len(self._waiting):
            trace.left = self._now()

    def end(self, reason: str | None) -> None:
        """The answer has ended: what has not left by now never will.

        Args:
            reason: Why, in the words of `Finish`.
        """
        self.ended = True
        self._ended_by = reason

    def changes(self) -> list[Trace]:
        """Return the tokens of which something has changed since the last call."""
        changed = []
        for trace in tuple(self._open.values()):
            trace.fate, trace.by = self._fate(trace)
            if trace.fate != "held":
                del self._open[trace.number]
            if trace.is_news():
                changed.append(trace)
        return changed

    def _known_again(self, stage: int, piece: Token) -> Trace | None:
        """Return the token that leaves a transform; those that came before it and wait there are lost."""
        waiting = self._waiting[stage]
        for same in (_itself, _text_of_the_model, _id):
            for at, trace in enumerate(waiting):
                if same(trace.piece, piece):
                    for lost in islice(waiting, at):
                        lost.lost = True
                    for _ in range(at + 1):
                        waiting.popleft()
                    return trace
        return None

    def _fate(self, trace: Trace) -> tuple[Fate, int | None]:
        before = trace.token.text
        for stage, after in enumerate(trace.texts):
            if after != before:
                return self._done_by(stage, trace, before, after), stage
        if len(trace.texts) < len(self._waiting):
            return "scrubbed" if trace.lost else self._undecided(), len(trace.texts)
        return ("passed", None) if trace.held_by is None else ("released", trace.held_by)

    def _done_by(self, stage: int, trace: Trace, before: str, after: str) -> Fate:
        """Return what a transform did to a text that it changed."""
        if not after and trace.token.special:
            return "hidden"
        if self._joins[stage]:
            return "joined"
        if not before.startswith(after) and not before.endswith(after):
            return "changed"
        more_may_come = after and self._leaving[stage] is trace
        return self._undecided() if more_may_come else "scrubbed"

    def _undecided(self) -> Fate:
        """Return the fate of text that a transform has and has not let go."""
        if not self.ended:
            return "held"
        return "cut" if self._ended_by == "stop_sequence" else "scrubbed"

    def _now(self) -> float:
        return round(self._clock() - self._started, 4)


def _itself(before: Token, after: Token) -> bool:
    return before is after


def _text_of_the_model(before: Token, after: Token) -> bool:
    return _id(before, after) and _raw(before) == _raw(after)


def _id(before: Token, after: Token) -> bool:
    return (before.id, before.special) == (after.id, after.special)


def _raw(token: Token) -> str:
    return token.text if token.raw is None else token.raw
