"""Tokens without width behind held text: their number is bounded, and no text is lost, reordered or let out by that."""

import gc
from itertools import repeat
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamkit.chain import Chain
from streamkit.events import Finish, Token
from streamkit.testing.feeding import feed_every_way, run_chain, visible
from streamkit.transforms import ScrubEos, Smooth, SplitReasoning, StopSequences, _held, recommended_transforms
from streamkit.transforms._held import MAX_CARRIED

PAD = Token("<pad>", id=7, special=True)
NOTHING = Token("", id=7, special=True, raw="<pad>")
WORDS = ("abc", "aab")
TRANSFORMS = (
    StopSequences(WORDS),
    SplitReasoning(tags=[WORDS]),
    *(ScrubEos(WORDS, mode=mode) for mode in ("end", "cut", "all")),
    Smooth(),
)


@pytest.fixture
def small():
    """Bound them by two, so that a few are too many."""
    with patch.object(_held, "MAX_CARRIED", 2):
        yield


def alive():
    """Count the tokens that are kept somewhere."""
    return sum(type(kept) is Token for kept in gc.get_objects())


@pytest.mark.parametrize("token", [NOTHING, PAD, Token("", id=7)], ids=["hidden", "special", "empty"])
@pytest.mark.parametrize(
    ("begun", "transforms"),
    [
        ("\n", recommended_transforms(stop="\nUser:")),
        ("<", recommended_transforms(stop="<x", reasoning=True, tool_calls=True)),
        ("\n", [StopSequences("\nUser:")]),
        ("<", [SplitReasoning()]),
        *(("<", [ScrubEos(mode=mode)]) for mode in ("end", "cut", "all")),
        ("<", [Smooth()]),
    ],
    ids=["recommended", "recommended, all", "stop", "reasoning", "end", "cut", "all", "smooth"],
)
def test_half_a_match_keeps_a_bounded_number_of_tokens(begun, transforms, token):
    """A model that sends special tokens for ever behind half a match does not fill the memory."""
    chain = Chain(transforms)
    before = alive()
    for event in (Token(begun), *repeat(token, 4 * MAX_CARRIED)):
        chain.feed(Token(event.text, event.id, special=event.special, raw=event.raw))
    assert alive() - before < 2.1 * MAX_CARRIED


pieces = st.lists(st.sampled_from(["a", "b", "c", "aa", "ab", " ", None]), max_size=24)


@given(st.sampled_from(TRANSFORMS), pieces)
@pytest.mark.usefixtures("small")
def test_hidden_tokens_change_no_text_however_many_there_are(transform, given):
    """What is shown, and how it ends, is the same without them; each id leaves at most once and in order."""
    tokens = [Token(text, number) if text else Token("", number, special=True) for number, text in enumerate(given)]
    events = feed_every_way(transform, tokens)
    without = run_chain([transform], [token for token in tokens if token.text])
    for channel in ("text", "reasoning"):
        assert visible(events, channel) == visible(without, channel)
    assert events[-1] == without[-1]


@given(st.sampled_from(TRANSFORMS), st.lists(st.sampled_from(["a", "aa", None]), max_size=24))
@pytest.mark.usefixtures("small")
def test_shown_special_tokens_leave_all_and_in_their_place(transform, given):
    """Where nothing is removed, the text is whole, however many special tokens stand in half a match."""
    tokens = [Token(text, number) if text else Token("S", number, special=True) for number, text in enumerate(given)]
    assert visible(run_chain([transform], tokens)) == "".join(token.text for token in tokens)


@pytest.mark.usefixtures("small")
def test_a_stop_sequence_with_many_hidden_tokens_inside_stops():
    """No half of it leaves: the guarantee does not depend on how many hidden tokens a model sends."""
    tokens = [Token("x\n"), *[NOTHING] * 5, Token("User:"), Token("more")]
    events = run_chain([StopSequences("\nUser:")], tokens)
    assert (visible(events), events[-1]) == ("x", Finish(reason="stop_sequence", stop="\nUser:"))


@pytest.mark.parametrize(("pads", "shown"), [(2, "SS"), (3, "<thSSSink>")])
@pytest.mark.usefixtures("small")
def test_a_tag_with_too_many_shown_tokens_inside_is_none(pads, shown):
    """Up to the bound it is a tag; beyond it, everything that was held leaves as text."""
    tokens = [Token("<th"), *[Token("S", special=True)] * pads, Token("ink>")]
    assert visible(run_chain([SplitReasoning()], tokens)) == shown


@pytest.mark.usefixtures("small")
def test_what_leaves_makes_room():
    """The bound is for each match begun, not for the whole answer."""
    tokens = [Token("a"), NOTHING, NOTHING, Token("z")] * 5
    assert run_chain([StopSequences("abc")], tokens)[:-1] == tokens


@pytest.mark.parametrize("transform", TRANSFORMS[1:], ids=repr)
@pytest.mark.usefixtures("small")
def test_a_match_that_was_given_up_does_not_go_on(transform):
    """What would have completed it is text, once its beginning has left."""
    tokens = [Token("ab"), *[Token("S", special=True)] * 3, Token("c"), Token("z")]
    assert visible(run_chain([transform], tokens)) == "abSSScz"


@pytest.mark.usefixtures("small")
def test_a_word_begun_waits_for_no_more_than_the_bound():
    """Where nothing is at stake but the look of it, tokens leave instead of being forgotten."""
    tokens = [Token("a", 0), *[Token("", number) for number in range(1, 8)]]
    assert run_chain([Smooth()], tokens)[:-1] == tokens
