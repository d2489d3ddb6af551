"""What TGI refuses, and in which words."""

import msgspec
import pytest

from streamkit.testing.emulator.engine import Settings
from streamkit.testing.emulator.validation import InvalidParametersError, Parameters, check

SETTINGS = Settings(model="m", api_key=None, max_stop_sequences=4, max_total_tokens=50, script=None, seed=None)


def validate(inputs="Hello", *, stream=False, **parameters):
    """Check a request."""
    return check(inputs, Parameters(**parameters), SETTINGS, stream=stream)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"temperature": 0.0}, "`temperature` must be strictly positive"),
        ({"temperature": -1.0}, "`temperature` must be strictly positive"),
        ({"repetition_penalty": 0.0}, "`repetition_penalty` must be strictly positive"),
        ({"frequency_penalty": 2.5}, "`frequency_penalty` must be >= -2.0 and <= 2.0"),
        ({"top_p": 0.0}, "`top_p` must be > 0.0 and < 1.0"),
        ({"top_p": 1.0}, "`top_p` must be > 0.0 and < 1.0"),
        ({"typical_p": 1.0}, "`typical_p` must be > 0.0 and < 1.0"),
        ({"top_k": 0}, "`top_k` must be strictly positive"),
        ({"max_new_tokens": 0}, "`max_new_tokens` must be strictly positive"),
        ({"stop": list("abcde")}, "`stop` supports up to 4 stop sequences. Given: 5"),
        ({"best_of": 3, "do_sample": True}, "`best_of` must be > 0 and <= 2. Given: 3"),
        ({"best_of": 2}, "you must use sampling when `best_of` is > 1"),
        ({"best_of": 2, "do_sample": True, "seed": 1}, "`seed` must not be set when `best_of` > 1"),
        ({"best_of": 2, "stream": True}, "`best_of` != 1 is not supported when streaming tokens"),
        ({"decoder_input_details": True, "stream": True}, "`decoder_input_details` == true is not supported"),
        ({"top_n_tokens": 6}, "`top_n_tokens` must be >= 0 and <= 5. Given: 6"),
        ({"inputs": ""}, "`inputs` cannot be empty"),
        ({"truncate": 0}, "`truncate` must be strictly positive and less than 50. Given: 0"),
        ({"max_new_tokens": 49}, "`inputs` tokens + `max_new_tokens` must be <= 50. Given: 2 `inputs` tokens and 49"),
        ({"inputs": "a " * 60}, "`inputs` must have less than 50 tokens. Given: 50"),
    ],
)
def test_a_value_out_of_range_is_refused_in_tgis_words(parameters, message):
    """Each limit has its own sentence."""
    with pytest.raises(InvalidParametersError) as caught:
        validate(**parameters)
    assert str(caught.value).startswith(f"Input validation error: {message}")


@pytest.mark.parametrize(
    "parameters",
    [{}, {"temperature": 0.1, "top_p": 0.99, "top_k": 1}, {"stop": list("abcd")}, {"best_of": 1, "stream": True}],
)
def test_a_value_in_range_is_accepted(parameters):
    """The limits themselves are on the right side."""
    validate(**parameters)


def test_without_a_limit_the_room_is_used_up():
    """The default is all that fits beside the prompt."""
    assert validate("Hello").limit == 48


def test_truncating_makes_room():
    """A long prompt is accepted when it is cut."""
    assert validate("a " * 60, truncate=10).input_length == 10


def test_sampling_begins_with_any_of_its_parameters():
    """Without them the likeliest token is always taken."""
    assert validate().sampling.temperature is None
    assert validate(top_k=3).sampling.temperature == 1.0
    assert validate(do_sample=True).sampling.temperature == 1.0


def test_a_negative_limit_fails_while_the_body_is_read():
    """TGI's type is unsigned."""
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(b'{"max_new_tokens":-1}', type=Parameters)
