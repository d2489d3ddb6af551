"""The recommended chain holds what is asked for, in the order that works, and chains obey the laws of one transform."""

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamkit.events import Finish, Token
from streamkit.testing.feeding import run_chain, visible
from streamkit.transforms import (
    RepairText,
    ScrubEos,
    SkipSpecialTokens,
    Smooth,
    SplitReasoning,
    SplitToolCalls,
    StopSequences,
    TrimStart,
    recommended_transforms,
)

RECIPES = [
    RepairText(),
    RepairText(replacement="drop"),
    ScrubEos(["</s>", "<e>"]),
    ScrubEos(["</s>", "<e>"], mode="cut"),
    ScrubEos(["</s>", "<e>"], mode="all"),
    SkipSpecialTokens(),
    SkipSpecialTokens(["<s>"]),
    SplitReasoning(tags=[("<t>", "</t>")]),
    SplitReasoning(tags=[("<t>", "</t>")], start_inside=True),
    SplitToolCalls(tags=[("<t>", "</t>")]),
    StopSequences("s>e", "t<", "</se"),
    StopSequences("</s", include_stop=True),
    StopSequences("<e>", "e s", scope="all"),
    TrimStart(),
    TrimStart("one"),
    Smooth(),
    Smooth(by="line", max_chars=3),
]
PARTS = ["</s>", "<e>", "<t>", "</t>", "<", "s>", "e", " ", "\n", "\ud83d", "\ude00", "好", "\ufffd"]
SPECIALS = ["<s>", "</s>", "<t>", "</t>", "s>e"]
tokens_of_text = st.lists(st.sampled_from(PARTS), min_size=1, max_size=4).map(lambda parts: Token("".join(parts)))
streams = st.lists(tokens_of_text | st.sampled_from(SPECIALS).map(lambda text: Token(text, special=True)), max_size=8)
chains = st.lists(st.sampled_from(RECIPES), max_size=5)


def single(tokens):
    """Cut plain tokens into characters."""
    return [piece for token in tokens for piece in ([token] if token.special else map(Token, token.text))]


@given(chains, streams)
def test_no_chain_depends_on_the_cut_of_the_tokens(chain, tokens):
    """Text by channel, finish reason and stop are the same for whole tokens and for single characters."""
    whole, characters = run_chain(chain, tokens), run_chain(chain, single(tokens))
    for channel in ("text", "reasoning"):
        assert visible(whole, channel) == visible(characters, channel)
    assert whole[-1] == characters[-1]


@given(chains, streams)
def test_each_id_leaves_once_and_in_order(chain, tokens):
    """Whatever is hidden, cut or joined, ids leave in the order in which they came, with no piece after an end."""
    numbered = [Token(token.text, id=number, special=token.special) for number, token in enumerate(tokens)]
    *events, finish = run_chain(chain, numbered)
    assert isinstance(finish, Finish)
    left = [event for event in events if isinstance(event, Token)]  # and no tool calls
    for channel in ("text", "reasoning"):
        ids = [token.id for token in left if token.channel == channel and token.id is not None]
        assert ids == sorted(set(ids))
    assert all(token.cont == (token.id is None) for token in left)


@pytest.mark.parametrize("recipe", RECIPES, ids=repr)
def test_recipes_are_values_that_travel(recipe):
    """A recipe is hashable, prints its settings and comes out of a pickle equal."""
    assert pickle.loads(pickle.dumps(recipe)) == recipe  # noqa: S301 (written on this very line)
    assert hash(recipe)
    assert repr(recipe).startswith(type(recipe).__name__)


def test_by_default_characters_marks_and_special_tokens_are_seen_to():
    """Without options, there is no stop, no split and no trimming."""
    assert recommended_transforms() == (RepairText(), ScrubEos(), SkipSpecialTokens())


def test_everything_asked_for_is_in_order():
    """Options add their transforms where they work."""
    assert recommended_transforms(
        stop="###", include_stop=True, eos=["</s>"], reasoning=True, keep=["<tool>"], trim_start=True
    ) == (
        RepairText(),
        ScrubEos(["</s>"]),
        SplitReasoning(),
        SkipSpecialTokens(["<tool>"]),
        StopSequences("###", include_stop=True),
        TrimStart(),
    )


def test_a_split_of_your_own_is_taken():
    """Other tags, or a start inside the reasoning, are set on the transform itself."""
    split = SplitReasoning(start_inside=True)
    assert split in recommended_transforms(reasoning=split)


def test_the_chain_cleans_a_stream():
    """Half a character, special tags, a stop sequence in pieces and an end mark as text all come out right."""
    tokens = [
        Token("<think>", special=True),
        Token(" why\n"),
        Token("</think>", special=True),
        Token("\n\nHi \ud83d"),
        Token("\ude00</s"),
        Token(">"),
    ]
    events = run_chain(recommended_transforms(stop="###", reasoning=True, trim_start=True), tokens)
    assert (visible(events), visible(events, "reasoning")) == ("Hi 😀", "why\n")
