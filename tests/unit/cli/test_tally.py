"""Counting rows, and giving up."""

import pytest

from streamkit.cli import tally as module
from streamkit.cli.rows import Row
from streamkit.cli.tally import ALIKE, Tally
from streamkit.errors import (
    AuthenticationError,
    ConfigurationError,
    ConnectError,
    GenerationError,
    OverloadedError,
    RateLimitError,
    RequestError,
)
from streamkit.events import Finish, Usage
from streamkit.many import unasked

ROW = Row(id=1, prompt="Hi")
OWN = Row(id=1, prompt="Hi", parameters={"top_k": -1})
NOT_THEIRS = {
    "no connection": ConnectError("no"),
    "no such path": RequestError("no", status=404),
    "too many requests": RateLimitError("no", status=429),
    "overloaded": OverloadedError("no", status=503),
    "a bad option": ConfigurationError("no"),
}
THEIRS = {
    "refused": RequestError("no", status=422),
    "a bug": OverloadedError("no", status=500),
    "too slow for a gateway": OverloadedError("no", status=504),
    "a failed generation": GenerationError("no"),
    "another bug": LookupError("no"),
}


def failed(error):
    """Return the result of a row that failed."""
    return unasked(error)


@pytest.fixture
def completed(ended):
    """Return the result of a row that did not."""
    return ended("a", "b", finish=Finish(reason="length", usage=Usage(completion_tokens=9))).complete()


def test_it_says_how_far_it_is(completed, monkeypatch):
    """With tokens as the engine counts them, and their rate once there are some."""
    now = [100.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    tally = Tally(started=100.0)
    assert str(tally) == "0 done · 0 skipped · 0 failed"
    now[0] = 102.0
    tally.add(ROW, completed)
    tally.add(ROW, failed(LookupError("no")))
    tally.skipped += 12_345
    assert str(tally) == "1 done · 12,345 skipped · 1 failed · 4.5 tokens/s"


def test_a_refused_token_ends_it_at_once():
    """Every other row would be refused, too."""
    error = AuthenticationError("no", status=401)
    tally = Tally()
    with pytest.raises(AuthenticationError) as caught:
        tally.add(ROW, failed(error))
    assert caught.value is error
    assert str(tally) == "0 done · 0 skipped · 1 failed · given up"


@pytest.mark.parametrize("error", NOT_THEIRS.values(), ids=NOT_THEIRS)
def test_so_does_a_row_of_failures_that_are_not_the_rows_own(error, completed):
    """Not before the tenth, and a row that is done begins the count anew."""
    tally = Tally()
    for result in [*[failed(error)] * (ALIKE - 1), completed] * 2 + [failed(error)] * (ALIKE - 1):
        tally.add(ROW, result)
    with pytest.raises(type(error)):
        tally.add(ROW, failed(error))


@pytest.mark.parametrize("error", THEIRS.values(), ids=THEIRS)
def test_rows_that_are_wrong_do_not(error):
    """However many of them there are: those behind them could never be asked."""
    tally = Tally()
    for _ in range(100):
        tally.add(ROW, failed(error))
    assert tally.failed == 100


def test_nor_do_parameters_of_a_row_s_own():
    """An option of the command is wrong for all, a row's parameter for that row."""
    tally = Tally()
    for _ in range(100):
        tally.add(OWN, failed(ConfigurationError("no")))
    assert tally.failed == 100
