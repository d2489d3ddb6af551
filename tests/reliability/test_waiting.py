"""Rows 22 to 25 and 40: silence, drips, connections that are gone, and clocks that jump."""

import asyncio
import itertools
import time

import attrs
import pytest

from streamkit import Pipeline, StreamTimeoutError, Timeouts
from streamkit.testing import ChaosProxy, faults

TRUTH = "one two three four five"
FIRST = Timeouts(first_token=0.15, between_tokens=5, total=6)
BETWEEN = Timeouts(first_token=5, between_tokens=0.3, total=6)
TOTAL = Timeouts(first_token=5, between_tokens=5, total=0.3)


@pytest.mark.parametrize(
    "fault", [faults.silent(), faults.silent(headers=False), faults.slow_headers(5), faults.pings(0)]
)
def test_the_first_token_is_not_waited_for_for_ever(ask, play, api, fault):
    """Rows 22 and 23: whether headers or comments come or not."""
    _, endpoint = play(fault, api=api, timeouts=FIRST)
    outcome = ask(endpoint)
    assert type(outcome.error) is StreamTimeoutError
    assert "no first token" in str(outcome.error)
    assert outcome.seconds < 2


@pytest.mark.parametrize("fault", [faults.stall(2), faults.pings(2)])
def test_nor_is_the_next_one(ask, play, api, fault):
    """Rows 22 and 23: comments are no sign of life; the text so far stays."""
    server, endpoint = play(fault, api=api, timeouts=BETWEEN)
    outcome = ask(endpoint, truth=TRUTH)
    assert type(outcome.error) is StreamTimeoutError
    assert "no further token" in str(outcome.error)
    assert outcome.text == "one two"
    assert outcome.seconds < 2
    assert server.requests[0].client_left.wait(1)


@pytest.mark.parametrize("fault", [faults.drip(0.01), faults.endless()])
def test_nor_is_the_end(ask, play, api, fault):
    """Row 24: an answer that drips, or never finishes, is ended as a whole."""
    _, endpoint = play(fault, api=api, timeouts=TOTAL)
    outcome = ask(endpoint)
    assert type(outcome.error) is StreamTimeoutError
    assert "not finished after 0.3 s" in str(outcome.error)
    assert outcome.seconds < 2


def test_waiting_costs_no_work(ask, play):
    """Row 24: the processor rests while bytes drip."""
    _, endpoint = play(faults.drip(0.02), timeouts=attrs.evolve(TOTAL, total=0.5))
    used = time.process_time()
    ask(endpoint)
    assert time.process_time() - used < 0.3


@pytest.mark.parametrize("after", [1, 400])
@pytest.mark.parametrize(
    "run", [Pipeline.run, lambda *asked: asyncio.run(Pipeline.arun(*asked))], ids=["sync", "async"]
)
def test_a_connection_that_is_gone_without_a_word_is_noticed(play, run, after):
    """Row 25: before the headers are whole, and in the middle of the answer."""
    server, endpoint = play(timeouts=Timeouts(first_token=0.3, between_tokens=0.3, total=5))
    with (
        ChaosProxy(server.url, half_open_after=after) as proxy,  # it keeps its half of the connection: no `ask`
        pytest.raises(StreamTimeoutError) as caught,
    ):
        run(Pipeline(attrs.evolve(endpoint, url=proxy.url)), "Hi")
    assert TRUTH.startswith(caught.value.result.text)
    assert caught.value.result.outcome == "failed"


@pytest.mark.parametrize("chaos", [{"slice_bytes": 1}, {"slice_bytes": 7, "latency": 0.0005}, {"bandwidth": 20_000}])
def test_a_bad_network_changes_nothing_but_the_time(ask, play, api, chaos):
    """Bytes one by one, late, or few at a time are the same answer."""
    server, endpoint = play(api=api, timeouts=Timeouts(total=20))
    with ChaosProxy(server.url, **chaos) as proxy:
        outcome = ask(attrs.evolve(endpoint, url=proxy.url))
    assert (outcome.text, outcome.error) == (TRUTH, None)


@pytest.mark.parametrize("after", [1, 300, 500, 900])
def test_a_reset_at_any_byte_is_never_a_complete_answer(ask, play, after):
    """Row 3: inside the headers, a chunk's size, or an event."""
    server, endpoint = play()
    with ChaosProxy(server.url, reset_after=after) as proxy:
        outcome = ask(attrs.evolve(endpoint, url=proxy.url), truth=TRUTH)
    assert outcome.error is not None
    assert outcome.result.outcome == "failed"


def test_a_clock_that_jumps_moves_no_deadline(ask, play, monkeypatch):
    """Row 40: limits are counted on a monotonic clock; the wall clock leaps by days here."""
    leaps = itertools.cycle((0.0, 1e6, -1e6, 1e9))
    wall = time.time
    monkeypatch.setattr(time, "time", lambda: wall() + next(leaps))
    assert ask(play()[1]).error is None
    _, endpoint = play(faults.stall(2), timeouts=BETWEEN)
    outcome = ask(endpoint)
    assert type(outcome.error) is StreamTimeoutError
    assert 0.1 < outcome.seconds < 2
    assert 0.1 < outcome.result.timings.total < 2
