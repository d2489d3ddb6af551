"""Names and values of generation parameters."""

from __future__ import annotations

import pytest
from streamkit import ConfigurationError

from streamkit_transformers._parameters import translate


def test_the_names_are_sorted_by_who_reads_them():
    """The seed is this source's, the template's arguments are the template's, and `None` says nothing."""
    options = translate(
        {
            "max_new_tokens": 5,
            "seed": 3,
            "top_k": None,
            "extra": {"no_repeat_ngram_size": 2},
            "chat_template_kwargs": {"enable_thinking": False},
        }
    )
    assert options.generate == {"max_new_tokens": 5, "no_repeat_ngram_size": 2}
    assert options.seed == 3
    assert options.template == {"enable_thinking": False}


@pytest.mark.parametrize("name", ["temperature", "top_k", "top_p", "typical_p", "min_p"])
def test_a_parameter_of_sampling_turns_it_on(name):
    """Nobody sets a temperature to have it ignored."""
    assert translate({name: 0.5}).generate == {name: 0.5, "do_sample": True}


def test_what_is_said_of_sampling_counts():
    """`do_sample=False` beside a temperature is obeyed."""
    assert translate({"top_p": 0.5, "do_sample": False}).generate == {"top_p": 0.5, "do_sample": False}


def test_a_temperature_of_zero_is_no_sampling():
    """Zero means the likeliest token, as it does for servers."""
    assert translate({"temperature": 0}).generate == {"do_sample": False}


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"temprature": 1.0}, "did you mean 'temperature'"),
        ({"max_tokens": 5}, "it is called max_new_tokens here"),
        ({"grammar": {}}, "go into extra"),
        ({"seed": "7"}, "a whole number"),
        ({"max_new_tokens": True}, "a whole number"),
        ({"max_new_tokens": 0}, "at least one token"),
        ({"extra": 3}, "a mapping"),
        ({"extra": {"num_beams": 4}}, "'num_beams' cannot be in extra"),
        ({"extra": {"top_k": 4}}, "'top_k' cannot be in extra"),
    ],
)
def test_what_cannot_work_is_refused_with_what_to_do(parameters, message):
    """The message names the parameter and the way out."""
    with pytest.raises(ConfigurationError, match=message):
        translate(parameters)
