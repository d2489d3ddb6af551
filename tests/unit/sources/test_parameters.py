"""Generation parameters by the names of each dialect."""

import pytest

from streamkit.errors import ConfigurationError
from streamkit.sources._parameters import NAMES, translate


@pytest.mark.parametrize(
    ("dialect", "expected"),
    [
        ("tgi", {"max_new_tokens": 5, "repetition_penalty": 1.1, "temperature": 0.5}),
        ("completions", {"max_tokens": 5, "repetition_penalty": 1.1, "temperature": 0.5}),
        ("chat", {"max_tokens": 5, "repetition_penalty": 1.1, "temperature": 0.5}),
        ("ollama", {"num_predict": 5, "repeat_penalty": 1.1, "temperature": 0.5}),
    ],
)
def test_each_dialect_has_its_names(dialect, expected):
    """The values stay as they are."""
    assert translate({"max_new_tokens": 5, "repetition_penalty": 1.1, "temperature": 0.5}, dialect) == expected


def test_none_is_left_out():
    """As if it had not been given."""
    assert translate({"temperature": None, "top_p": 0.5}, "tgi") == {"top_p": 0.5}


def test_none_does_not_excuse_an_unknown_name():
    """A mistake is one whatever the value."""
    with pytest.raises(ConfigurationError):
        translate({"temprature": None}, "tgi")


def test_false_and_zero_are_values():
    """They are sent."""
    assert translate({"do_sample": False, "seed": 0}, "tgi") == {"do_sample": False, "seed": 0}


@pytest.mark.parametrize("dialect", NAMES)
def test_extra_is_sent_as_it_is(dialect):
    """Fields that one engine alone knows."""
    assert translate({"extra": {"guided_regex": "a+"}}, dialect) == {"guided_regex": "a+"}


@pytest.mark.parametrize("value", [None, 3, "abc", [("a", 1)]])
def test_extra_that_is_no_mapping_is_refused(value):
    """The message says what it must be."""
    with pytest.raises(ConfigurationError, match=r"extra is .*mapping"):
        translate({"extra": value}, "tgi")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("max_tokens", "it is called max_new_tokens here"),
        ("max_completion_tokens", "it is called max_new_tokens here"),
        ("stop_sequences", "a StopSequences transform"),
        ("temprature", "did you mean 'temperature'?"),
        ("guided_regex", "extra={...}"),
        ("n", "start several runs"),
        ("best_of", "cannot choose"),
        ("stream", "every run streams"),
        ("details", "always asked for"),
        ("return_full_text", "never repeats the prompt"),
        ("decoder_input_details", "does not send them"),
        ("tools", "a parameter of 'chat' and 'ollama', and this request goes to 'tgi'"),
        ("presence_penalty", "a parameter of 'completions' and 'chat' and 'ollama'"),
    ],
)
def test_what_does_not_fit_is_explained(name, words):
    """Misnamed, misspelt, refused, or another dialect's."""
    with pytest.raises(ConfigurationError, match=repr(name)) as caught:
        translate({name: 1}, "tgi")
    assert words in str(caught.value)


def test_temperature_zero_is_left_out_for_tgi():
    """TGI refuses the zero that means the likeliest token elsewhere, and takes that token unless told otherwise."""
    assert translate({"temperature": 0, "top_p": 0.5}, "tgi") == {"top_p": 0.5}
    assert translate({"temperature": 0.0}, "chat") == {"temperature": 0.0}
