"""When a token may go: the pace, a token's own delay or gate, and the turnstile that a test opens."""

from __future__ import annotations

import asyncio
import math
from contextlib import suppress

from streamkit.testing.emulator.script import Gate, ScriptedToken

GATE_POLL = 0.003
"""Seconds between two looks at a token's gate: a `threading.Event` cannot wake an event loop."""


class Turnstile:
    """How many tokens every stream may have sent so far; lives in the server's event loop.

    Args:
        closed: True to let no token through before `release`.
    """

    def __init__(self, *, closed: bool) -> None:
        self._released: float = 0 if closed else math.inf
        self._waiting: set[asyncio.Future[None]] = set()

    def release(self, tokens: float) -> None:
        """Let every stream, present and future, go this many tokens further; `math.inf` for all the way."""
        self._released += tokens
        for waiter in self._waiting:
            if not waiter.done():
                waiter.set_result(None)

    async def pass_through(self, number: int) -> None:
        """Wait until a stream may send its token of this number, counted from 1."""
        while number > self._released:
            waiter = asyncio.get_running_loop().create_future()
            self._waiting.add(waiter)
            try:
                await waiter
            finally:
                self._waiting.remove(waiter)


class Pacer:
    """The pace of one stream, from now on.

    Args:
        pace: Seconds between two tokens.
        turnstile: The endpoint's.
    """

    def __init__(self, pace: float, turnstile: Turnstile) -> None:
        self._pace = pace
        self._turnstile = turnstile
        self._sent = 0
        self._last = asyncio.get_running_loop().time()

    async def turn(self, token: ScriptedToken, patience: float | None) -> bool:
        """Wait for a token's turn, giving other streams a chance to run in any case.

        Args:
            token: The next token.
            patience: Most seconds to wait this time; `None` for any.

        Returns:
            False if patience ran out: call again for the same token.
        """
        clock = asyncio.get_running_loop().time
        pause = self._pace if self._sent else 0.0
        due = self._last + (pause if token.delay is None else token.delay)
        with suppress(TimeoutError):
            async with asyncio.timeout(patience):
                await asyncio.sleep(max(0.0, due - clock()))
                await self._turnstile.pass_through(self._sent + 1)
                await _opened(token.gate)
                self._sent += 1
                self._last = clock()
                return True
        return False


async def _opened(gate: Gate | None) -> None:
    while gate is not None and not gate.is_set():  # noqa: ASYNC110 - it is a thread's event, not the loop's
        await asyncio.sleep(GATE_POLL)
