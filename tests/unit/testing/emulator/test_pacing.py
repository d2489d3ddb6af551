"""When a token may go."""

import asyncio
import math

import pytest

from streamkit.testing import ScriptedToken
from streamkit.testing.emulator.pacing import Pacer, Turnstile

TOKEN = ScriptedToken("x")


@pytest.fixture
def clock(monkeypatch):
    """Return the pauses that were asked for, none of which was made."""
    pauses = []
    pause = asyncio.sleep

    async def sleep(seconds):
        pauses.append(round(seconds, 1))
        await pause(0)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    return pauses


async def test_the_pace_lies_between_tokens(clock):
    """The first token does not wait."""
    pacer = Pacer(20.0, Turnstile(closed=False))
    assert [await pacer.turn(TOKEN, None) for _ in range(3)] == [True] * 3
    assert clock == [0.0, 20.0, 20.0]


async def test_a_tokens_own_delay_goes_before_the_pace(clock):
    """For the first token too."""
    pacer = Pacer(20.0, Turnstile(closed=False))
    await pacer.turn(ScriptedToken("x", delay=7.0), None)
    await pacer.turn(ScriptedToken("x", delay=0.0), None)
    assert clock == [7.0, 0.0]


async def test_impatience_does_not_start_the_pause_anew():
    """After a comment the same token is waited for, and it is due when it was due."""
    pacer = Pacer(0.05, Turnstile(closed=False))
    await pacer.turn(TOKEN, None)
    tries = 1
    while not await pacer.turn(TOKEN, 0.02):
        tries += 1
    assert tries in {2, 3}


async def test_a_closed_turnstile_lets_as_many_through_as_were_released():
    """Each stream counts its own tokens."""
    turnstile = Turnstile(closed=True)
    turnstile.release(2)
    for pacer in (Pacer(0, turnstile), Pacer(0, turnstile)):
        assert [await pacer.turn(TOKEN, 0.01) for _ in range(3)] == [True, True, False]


async def test_releasing_wakes_all_that_wait():
    """Infinity opens the turnstile for good."""
    turnstile = Turnstile(closed=True)
    waiting = [asyncio.create_task(Pacer(0, turnstile).turn(TOKEN, None)) for _ in range(3)]
    await asyncio.sleep(0)
    turnstile.release(math.inf)
    assert await asyncio.gather(*waiting) == [True] * 3
