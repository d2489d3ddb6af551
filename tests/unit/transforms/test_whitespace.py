"""TrimStart drops white space until something is shown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamkit.errors import ConfigurationError
from streamkit.events import Token, ToolCallDelta
from streamkit.testing.feeding import feed_every_way, run_chain, visible
from streamkit.transforms import TrimStart


@given(st.lists(st.text(" \n\u00a0a", max_size=3)), st.sampled_from(["all", "one"]))
def test_the_start_is_trimmed_however_it_is_cut(parts, mode):
    """All white space goes, or at most one space, and the rest stays."""
    text = "".join(parts)
    shown = visible(feed_every_way(TrimStart(mode), [Token(part) for part in parts]))
    assert shown == (text.lstrip() if mode == "all" else text.removeprefix(" "))


def test_the_token_that_is_cut_keeps_its_identity():
    """Tokens of white space alone go, the first with other text is shortened, later ones are untouched."""
    last = Token(" b", id=3)
    events = run_chain([TrimStart()], [Token("\n", id=1), Token(" a", id=2), last])
    assert events[:2] == [Token("a", id=2, raw=" a"), last]
    assert events[1] is last


def test_each_channel_begins_anew():
    """White space goes before the reasoning and again before the answer."""
    tokens = [Token("\nwhy", channel="reasoning"), Token("\n\n"), Token("a ")]
    events = run_chain([TrimStart()], tokens)
    assert (visible(events, "reasoning"), visible(events)) == ("why", "a ")


@pytest.mark.parametrize("event", [Token("", special=True, raw="<s>"), ToolCallDelta(name="f")])
def test_what_shows_nothing_passes(event):
    """Hidden tokens and other events pass untouched, and the start is still to come."""
    machine = TrimStart().start()
    assert machine.feed(event)[0] is event
    assert visible(machine.feed(Token(" a"))) == "a"


def test_an_unknown_mode_is_refused():
    """Only all and one exist."""
    with pytest.raises(ConfigurationError, match="TrimStart"):
        TrimStart("some")
