"""Deadlines, on a clock that a test sets."""

import pytest

from streamkit.errors import StreamTimeoutError
from streamkit.sources import _patience
from streamkit.sources._patience import FAREWELL, Patience
from streamkit.sources.timeouts import Timeouts


class Clock:
    """A clock that a test sets."""

    now = 100.0

    def monotonic(self):
        """Return the time."""
        return self.now


@pytest.fixture
def clock(monkeypatch):
    """The clock of deadlines."""
    clock = Clock()
    monkeypatch.setattr(_patience, "time", clock)
    return clock


@pytest.fixture
def patience(clock):
    """Deadlines that are easy to tell apart."""
    return Patience(Timeouts(first_token=10, between_tokens=5, total=60), "host")


def test_the_first_token_is_awaited_from_the_start(patience, clock):
    """Time passes whatever else comes."""
    clock.now += 9
    assert patience.left() == 1
    clock.now += 1
    with pytest.raises(StreamTimeoutError, match=r"no first token came from host for 10 s.*first_token="):
        patience.left()


def test_each_token_sets_the_next_deadline(patience, clock):
    """From when it came."""
    clock.now += 9
    patience.token_came()
    assert patience.left() == 5
    clock.now += 5
    with pytest.raises(StreamTimeoutError, match=r"no further token came from host for 5 s.*between_tokens="):
        patience.left()


def test_while_the_consumer_has_the_word_only_the_total_counts(patience, clock):
    """Its slowness is not the server's."""
    patience.pause()
    clock.now += 50
    assert patience.left() == 10
    patience.token_came()
    assert patience.left() == 5


def test_the_total_is_never_moved(patience, clock):
    """Not by tokens that keep coming."""
    for _ in range(12):
        patience.token_came()
        clock.now += 5
    with pytest.raises(StreamTimeoutError, match=r"not finished after 60 s.*total="):
        patience.left()


def test_the_farewell_is_short_and_nothing_prolongs_it(patience, clock):
    """Neither a comment nor a slow consumer between two of them."""
    patience.answer_finished()
    clock.now += FAREWELL - 0.5
    patience.answer_finished()
    assert patience.left() == 0.5
    patience.pause()
    patience.answer_finished()
    assert patience.left() == 0.5


def test_until_does_not_raise(patience, clock):
    """A timer asks, and decides itself."""
    clock.now += 11
    assert patience.until() == -1
