"""What a test may write down for the model to say."""

import itertools

import pytest

from streamkit.errors import ConfigurationError
from streamkit.testing import ScriptedToken
from streamkit.testing.emulator.script import VOCABULARY, read_script


def test_a_string_becomes_a_token_with_an_id_and_a_probability():
    """A bare string is enough to write a token down."""
    (token,) = read_script([" world"])
    assert (token.text, token.special, token.logprob) == (" world", False, -0.5)
    assert 0 <= token.id < VOCABULARY


def test_equal_texts_have_equal_ids():
    """Ids are a function of the text, so that a stream looks as if it had a vocabulary."""
    first, second, third = read_script(["a", "b", "a"])
    assert first.id == third.id != second.id


def test_what_a_token_says_of_itself_is_kept():
    """An id of zero and a probability of one are values, not absences."""
    (token,) = read_script([ScriptedToken("x", special=True, id=0, logprob=0.0, delay=1.5)])
    assert token == ScriptedToken("x", special=True, id=0, logprob=0.0, delay=1.5)


def test_an_endless_script_is_read_lazily():
    """A generator that never ends can be played."""
    assert [token.text for token in itertools.islice(read_script(itertools.repeat("x")), 3)] == ["x"] * 3


@pytest.mark.parametrize("script", ["Hello", []])
def test_a_script_that_cannot_be_meant_is_refused(script):
    """One string would be played letter by letter, and no engine answers with nothing."""
    with pytest.raises(ConfigurationError):
        list(read_script(script))
