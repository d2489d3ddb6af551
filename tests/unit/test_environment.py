"""What the environment has is taken from there, and no secret from anywhere else."""

import json

import pytest

from streamkit.environment import filled, referred
from streamkit.errors import ConfigurationError

REFERENCE = {"env": "A_VARIABLE"}


@pytest.fixture(autouse=True)
def _variable(monkeypatch):
    monkeypatch.setenv("A_VARIABLE", "12")


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (REFERENCE, "12"),
        ({"a": REFERENCE, "b": 5}, {"a": "12", "b": 5}),
        ([REFERENCE, "b"], ["12", "b"]),
        ({"a": [{"b": [REFERENCE]}]}, {"a": [{"b": ["12"]}]}),
    ],
)
def test_a_reference_is_found_however_deep(given, wanted):
    """In tables, in arrays, and in those inside of them."""
    assert filled("name", given, "here") == wanted


@pytest.mark.parametrize(
    "given", ["text", 5, None, {"env": {"type": "string"}}, {"env": 5}, {"env": "A", "b": 1}, {"a": [1, {"b": 2}]}, []]
)
def test_what_refers_to_nothing_is_the_same_object(given):
    """A schema may have a property called `env`."""
    assert filled("name", given, "here") is given


def test_the_text_is_read_as_the_caller_wants():
    """Each variable by itself."""
    assert filled("seed", {"seed": REFERENCE}, "here", json.loads) == {"seed": 12}


def test_a_variable_that_is_not_set_is_named_with_its_place():
    """Down to the key and the index."""
    with pytest.raises(ConfigurationError, match=r"^here: a\[1\]: b: the environment variable 'NOT_SET' is not set$"):
        filled("name", {"a": [1, {"b": {"env": "NOT_SET"}}]}, "here")


SECRET_NAMES = [
    "token",
    "api_key",
    "api-key",
    "apikey",
    "API_KEY",
    "X-Api-Key",
    "x-goog-api-key",
    "authorization",
    "Authorization",
    "Proxy-Authorization",
    "cookie",
    "set-cookie",
    "Cookie",
    "password",
    "db_password",
    "secret",
    "client_secret",
    "secret-key",
    "access_token",
    "hf_token",
    "auth-token",
    "X-Auth-Token",
    "x-functions-key",
    "x-amz-security-token",
]
OTHER_NAMES = [
    "eos_token",
    "pad_token",
    "max_new_tokens",
    "tokens",
    "tokenizer",
    "model",
    "stop_token",
    "x-scale-up-timeout",
    "key",
    "user",
    "keys",
]


@pytest.mark.parametrize("name", SECRET_NAMES)
def test_text_under_the_name_of_a_secret_is_refused(name):
    """With the way to write it, and without the text."""
    with pytest.raises(ConfigurationError) as caught:
        filled("headers", {name: "canary"}, "here")
    assert str(caught.value) == f'here: a secret does not belong in a file: write {name} = {{ env = "NAME" }}'.replace(
        "here:", f"here: {name}:"
    )
    assert filled("headers", {name: REFERENCE}, "here") == {name: "12"}


@pytest.mark.parametrize("name", OTHER_NAMES)
def test_another_name_is_no_secret(name):
    """A model's end token is not one, for example."""
    assert filled(name, "</s>", "here") == "</s>"


@pytest.mark.parametrize(
    "value",
    [
        "redis://:canary@host",
        "HTTPS://anne:canary@host:1/path",
        "Bearer canary-canary",
        "bearer canary-canary",
        "hf_" + "canary" * 4,
        "sk-" + "canary" * 4,
    ],
)
def test_a_secret_is_known_by_its_looks_too(value):
    """Under whatever name, and in an array."""
    for given in (value, [value], {"x": value}):
        with pytest.raises(ConfigurationError, match="does not belong in a file") as caught:
            filled("name", given, "here")
        assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    "value",
    ["Bearer of bad news, you are", "bearer", "hf_home", "http://host:80/a@b", "sk-learn", "HF_" + "a" * 20, ""],
)
def test_what_only_begins_like_a_secret_is_none(value):
    """Prompts, names and addresses are written as they are."""
    assert filled("name", value, "here") == value


def test_a_reference_is_one_key_with_a_name():
    """Nothing else is looked up."""
    assert referred(REFERENCE) == "A_VARIABLE"
    assert referred({"env": "A", "default": "b"}) is None
