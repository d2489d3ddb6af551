"""A source that says what it is told, in both drivers."""

import pytest

from streamkit import ConfigurationError, Finish, SourceError, Token, ToolCallDelta
from streamkit.testing import acollect, collect, replay


@pytest.fixture(params=["sync", "async"])
def play(request):
    """Play a source with either driver."""

    async def synchronous(source):
        return collect(source)

    return acollect if request.param == "async" else synchronous


async def test_strings_are_tokens_and_events_stay_as_they_are(play):
    """The end is an `eos_token` unless something else is said."""
    token, call = Token("b", id=7), ToolCallDelta(name="f")
    ran = await play(replay(["a", token, call]))
    assert ran.events == (Token("a"), token, call, Finish(reason="eos_token"))


async def test_a_list_arrives_together(play):
    """A batch is one reading of a source."""
    source = replay([["a", "b"], "c"], finish=None)
    assert source.batches == ((Token("a"), Token("b")), (Token("c"),))
    assert (await play(source)).result.text == "abc"


@pytest.mark.parametrize(
    ("finish", "reason", "stop"),
    [("length", "length", None), (None, None, None), (Finish(reason="stop_sequence", stop="#"), "stop_sequence", "#")],
)
async def test_it_finishes_as_it_is_told(play, finish, reason, stop):
    """A reason, nothing at all, or a whole `Finish`."""
    result = (await play(replay(["a"], finish=finish))).result
    assert (result.outcome, result.finish_reason, result.stop) == ("completed", reason, stop)


async def test_an_error_comes_behind_the_tokens(play):
    """It takes the place of the end."""
    error = SourceError("gone")
    result = (await play(replay(["a"], error=error))).result
    assert (result.outcome, result.text, result.error) == ("failed", "a", error)


async def test_it_knows_what_it_was_asked_and_who_reads_it(play):
    """One source serves any number of runs."""
    source = replay(["a"])
    await play(source)
    await play(source)
    assert [request.prompt for request in source.requests] == ["", ""]
    assert source.open_runs == 0
    with source.open(source.requests[0]):
        assert source.open_runs == 1


@pytest.mark.parametrize(
    ("arguments", "message"), [(("abc",), "write replay"), ((["a"], "eos"), "does not end by 'eos'")]
)
def test_what_cannot_be_meant_is_refused(arguments, message):
    """One string would be played letter by letter, and an unknown reason would fail later."""
    tokens, *finish = arguments
    with pytest.raises(ConfigurationError, match=message):
        replay(tokens, finish=finish[0] if finish else None)
