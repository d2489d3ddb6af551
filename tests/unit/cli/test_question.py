"""What a command asks, read from the command line or a pipe."""

import io
import sys

import click
import pytest

from streamkit.cli.question import as_question, read_parameters, read_prompt, unescape


@pytest.fixture
def stdin(monkeypatch):
    """Return a function that puts bytes, or a terminal, behind stdin."""

    def put(content, *, terminal=False):
        file = io.TextIOWrapper(io.BytesIO(content))
        file.isatty = lambda: terminal
        monkeypatch.setattr(sys, "stdin", file)

    return put


def test_the_argument_is_the_prompt(stdin):
    """Stdin is not looked at when the prompt is on the command line."""
    stdin(b"not me")

    assert read_prompt("Hello") == "Hello"


@pytest.mark.parametrize("argument", [None, "-"])
@pytest.mark.parametrize(
    ("content", "prompt"),
    [
        (b"Hello\n", "Hello"),
        (b"Hello\r\n", "Hello"),
        (b"a\n\nb\n\n", "a\n\nb\n"),
        ("Grüße".encode(), "Grüße"),
        (b"\xff", "\ufffd"),
    ],
)
def test_a_pipe_is_read_to_its_end(stdin, argument, content, prompt):
    """Everything but the last line end is the prompt, in UTF-8 whatever the locale."""
    stdin(content)

    assert read_prompt(argument) == prompt


def test_nobody_waits_for_a_prompt_on_a_terminal(stdin):
    """Without a prompt and without a pipe the command says what is missing."""
    stdin(b"", terminal=True)

    with pytest.raises(click.UsageError, match="no prompt"):
        read_prompt(None)


@pytest.mark.parametrize("content", [b"", b"\n"])
def test_an_empty_prompt_is_refused(stdin, content):
    """A pipe that failed does not become a question."""
    stdin(content)

    with pytest.raises(click.UsageError, match="empty"):
        read_prompt(None)


@pytest.mark.parametrize(
    ("chat", "system", "question"),
    [
        (False, None, "Hello"),
        (True, None, [{"role": "user", "content": "Hello"}]),
        (False, "Be brief", [{"role": "system", "content": "Be brief"}, {"role": "user", "content": "Hello"}]),
    ],
)
def test_a_prompt_becomes_a_conversation_on_request(chat, system, question):
    """A message of the system makes a conversation by itself."""
    assert as_question("Hello", chat=chat, system=system) == question


def test_parameters_are_json_where_they_can_be():
    """Numbers, truth values and objects are read as such, other values as text."""
    given = ["temperature=0.7", "seed=1", "do_sample=true", "adapter_id=me/mine", 'grammar={"type":"json"}', "a=b=c"]

    assert read_parameters(given) == {
        "temperature": 0.7,
        "seed": 1,
        "do_sample": True,
        "adapter_id": "me/mine",
        "grammar": {"type": "json"},
        "a": "b=c",
    }


@pytest.mark.parametrize(("setting", "message"), [("seed", "name=value"), ("=1", "name=value"), ("stop=x", "--stop")])
def test_an_impossible_parameter_is_refused(setting, message):
    """The message says how to write it, or which option is meant."""
    with pytest.raises(click.BadParameter, match=message):
        read_parameters([setting])


@pytest.mark.parametrize(
    ("typed", "meant"),
    [(r"\nUser:", "\nUser:"), (r"a\tb", "a\tb"), (r"\\nabla", r"\nabla"), (r"\d", r"\d"), ("\n", "\n")],
)
def test_escapes_mean_what_a_shell_makes_hard_to_type(typed, meant):
    """Newline, tab and backslash can be written; other backslashes are left alone."""
    assert unescape(typed) == meant
