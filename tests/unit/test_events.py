"""Events are small frozen values."""

import pickle

import attrs
import pytest

from streamkit.events import Finish, Token, ToolCallDelta, Usage

EVENTS = [
    Token("a", 1, -0.5),
    ToolCallDelta(index=1, id="c", name="f", arguments="{"),
    Finish(reason="length", usage=Usage(total_tokens=3)),
    Usage(prompt_tokens=1),
]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_an_event_is_an_unbreakable_value(event):
    """It is equal and hashed by value, survives a pickle, and cannot be changed or extended."""
    assert pickle.loads(pickle.dumps(event)) == event  # noqa: S301 - our own bytes
    assert hash(attrs.evolve(event)) == hash(event)
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        setattr(event, attrs.fields(type(event))[0].name, None)
    assert not hasattr(event, "__dict__")


def test_a_token_is_visible_text_of_the_answer_unless_it_says_otherwise():
    """The defaults are those of a plain piece of text."""
    token = Token("a")
    assert (token.channel, token.special, token.cont, token.raw) == ("text", False, False, None)


def test_a_token_is_true_even_without_text():
    """Drivers pick tokens by truth, so a hidden token must not look like nothing."""
    assert Token("")


def test_a_finish_and_its_parts_are_given_by_keyword():
    """A row of optional fields is not to be counted."""
    with pytest.raises(TypeError):
        Finish("length")
    with pytest.raises(TypeError):
        Usage(1)
