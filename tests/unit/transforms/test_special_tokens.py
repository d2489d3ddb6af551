"""Special tokens lose their text and stay in the stream."""

import pytest

from streamkit.errors import ConfigurationError
from streamkit.events import Finish, Token, ToolCallDelta
from streamkit.testing.feeding import feed_every_way, run_chain
from streamkit.transforms import SkipSpecialTokens, StopSequences


def test_a_special_token_is_hidden_and_stays():
    """The text goes; id, logprob and the model's text in raw stay."""
    machine = SkipSpecialTokens().start()
    assert machine.feed(Token("</s>", id=2, logprob=-0.1, special=True)) == (
        Token("", id=2, logprob=-0.1, special=True, raw="</s>"),
    )
    assert machine.flush() == ()


@pytest.mark.parametrize("event", [Token("hi"), Token("", special=True, raw="<s>"), ToolCallDelta(name="f")])
def test_everything_else_is_the_same_object(event):
    """Plain tokens, tokens hidden already and other events pass untouched."""
    assert SkipSpecialTokens().start().feed(event)[0] is event


def test_kept_special_tokens_are_shown():
    """A special token named in keep passes untouched, others are hidden."""
    tokens = [Token("<think>", special=True), Token("a"), Token("</s>", special=True)]
    shown = feed_every_way(SkipSpecialTokens("<think>"), tokens)
    assert [event.text for event in shown[:-1]] == ["<think>", "a", ""]
    assert SkipSpecialTokens(["<think>"]) == SkipSpecialTokens("<think>")


def test_a_later_stop_sequence_sees_the_hidden_token():
    """A hidden special token whose whole text is a stop sequence ends the stream."""
    tokens = [Token("a"), Token("<|im_end|>", special=True), Token("b")]
    assert run_chain([SkipSpecialTokens(), StopSequences("<|im_end|>")], tokens) == [
        Token("a"),
        Finish(reason="stop_sequence", stop="<|im_end|>"),
    ]


def test_an_empty_token_to_keep_is_refused():
    """A setting that cannot work is found when the recipe is made."""
    with pytest.raises(ConfigurationError, match="a special token to keep"):
        SkipSpecialTokens([""])
