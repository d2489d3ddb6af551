"""Text as JSON, and what a client is told."""

import json

import pytest

from streamkit.errors import (
    ConfigurationError,
    GenerationError,
    OverloadedError,
    RateLimitError,
    RequestError,
    SinkError,
    TruncatedStreamError,
)
from streamkit.formats import LlamaCpp, Ollama
from streamkit.formats._encoding import error_kind, json_of, mask_error, new_id, quoted


@pytest.mark.parametrize(
    "text", ["", "plain", 'q"\\', "\x00\x1b\n\r\x0b\x0c\x1c\x1d\x1e", "a\u2028b\u2029c\x85d", "Dürer 🏰"]
)
def test_quoted_text_is_one_line_for_every_reader(text):
    """A reader that splits lines as `str.splitlines` does gets the string whole."""
    assert json.loads(quoted(text)) == text
    assert len(quoted(text).decode().splitlines()) == 1


@pytest.mark.parametrize(("text", "sent"), [("\ud83c", "\ufffd"), ("a\udff0b", "a\ufffdb"), ("\ud83c\udff0", "🏰")])
def test_surrogates_become_characters(text, sent):
    """Two halves of a character are joined, and one half is replaced: neither has bytes of its own in UTF-8."""
    assert json.loads(quoted(text)) == sent
    assert json.loads(json_of({"a": [text], text: 1})) == {"a": [sent], sent: 1}


def test_a_value_is_one_line_for_every_reader():
    """The same holds for the objects of an application."""
    assert len(json_of({"a": "\u2028\x85"}).decode().splitlines()) == 1


def test_a_value_that_json_has_no_form_for_is_refused():
    """An application's mistake is told to the application."""
    with pytest.raises(TypeError):
        json_of({"a": object()})


def test_the_mask_tells_nothing():
    """A message may have names of hosts, models and users in it."""
    assert "secret" not in mask_error(RuntimeError("secret"))


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (GenerationError("", kind="validation"), "validation"),
        (GenerationError("", kind="http://internal"), "generation"),
        (RequestError(""), "validation"),
        (RateLimitError(""), "overloaded"),
        (OverloadedError(""), "overloaded"),
        (TruncatedStreamError(""), "incomplete_generation"),
        (SinkError(""), "generation"),
        (ValueError(""), "generation"),
    ],
)
def test_kinds_of_errors_are_words_of_tgi(error, kind):
    """A word that an engine made up is not passed on."""
    assert error_kind(error) == kind


@pytest.mark.parametrize("fmt", [Ollama(), LlamaCpp()])
def test_a_format_that_is_only_read_says_so(fmt):
    """Asking for an encoder that does not exist names the format."""
    with pytest.raises(ConfigurationError, match=f"{type(fmt).__name__} is a format to read"):
        fmt.encoder()


def test_ids_differ():
    """Two responses never have the same id."""
    assert new_id("a-").startswith("a-")
    assert new_id("a-") != new_id("a-")
