"""Answers that keep their reader waiting, or never finish."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import cycle
from typing import Final

import attrs

from streamkit.testing.emulator.acts import Act, Comment, Pause, Turn
from streamkit.testing.emulator.fault import Fault
from streamkit.testing.emulator.seen import SeenRequest
from streamkit.testing.faults._shapes import Before, Instead, Within, is_last

_PING: Final = 0.05
"""Seconds between two keep-alive comments."""


def silent(headers: bool = True) -> Fault:
    """No token ever comes, and the connection stays open.

    Args:
        headers: Whether the headers come.
    """
    return stall(0) if headers else Instead((Pause(math.inf),))


def stall(tokens: int = 2) -> Fault:
    """No token comes any more, and the connection stays open.

    Args:
        tokens: Tokens before that.
    """
    return Within(tokens, (Pause(math.inf),))


def pings(tokens: int = 2, interval: float = _PING) -> Fault:
    """Keep-alive comments come, and no token any more.

    Args:
        tokens: Tokens before that.
        interval: Seconds between two comments.
    """
    return Within(tokens, (Comment(), Pause(interval)), then="again")


@attrs.frozen
class _Endless(Fault):
    def play(self, acts: Iterator[Act], seen: SeenRequest) -> Iterator[Act]:  # noqa: ARG002 - the shape of a fault
        step: list[Act] = []
        for act in acts:
            if is_last(act):
                yield from cycle(step or [Comment(), Pause(_PING)])
            if isinstance(act, Turn):
                step = [act]
            elif step:
                step.append(act)
            yield act


def endless() -> Fault:
    """The answer never finishes: its last token but one comes over and over."""
    return _Endless()


def slow_headers(seconds: float = 1.0) -> Fault:
    """The headers come late.

    Args:
        seconds: How late.
    """
    return Before((Pause(seconds),))


@attrs.frozen
class _Drip(Fault):
    seconds: float
    size: int

    def play(self, acts: Iterator[Act], seen: SeenRequest) -> Iterator[Act]:  # noqa: ARG002 - the shape of a fault
        for act in acts:
            if isinstance(act, bytes):
                for start in range(0, len(act), self.size):
                    yield act[start : start + self.size]
                    yield Pause(self.seconds)
            else:
                yield act


def drip(seconds: float = 1.0, size: int = 1) -> Fault:
    """The body comes a few bytes at a time.

    Args:
        seconds: Between two pieces.
        size: Of a piece, in bytes.
    """
    return _Drip(seconds, size)
