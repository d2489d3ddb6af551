"""How an answer is shown."""

import json

import pytest

from streamkit import Collect, Console, Finish, Token, TruncatedStreamError, from_iterable
from streamkit.cli.showing import Showing

ANSWER = [Token("Hi", 7), Token("!", 8), Finish(reason="eos_token")]


def test_the_text_is_shown_and_the_closing_line_follows(capsys):
    """One on stdout, the other on stderr; a console of the pipeline's own gives way, other sinks stay."""
    kept = Collect()
    Showing().answer(from_iterable(ANSWER) | Console() | kept, "Hello", {})

    captured = capsys.readouterr()
    assert captured.out == "Hi!"
    assert captured.err.endswith("2 tokens · eos_token\n")
    assert kept.texts == ("Hi!",)


def test_tokens_are_shown_in_place_of_the_text(capsys):
    """A line for each."""
    Showing(show="tokens").answer(from_iterable(ANSWER) | Console(), "Hello", {})
    assert capsys.readouterr().out == "      7           'Hi'\n      8           '!'\n"


def test_the_result_is_shown_in_place_of_the_text(capsysbinary):
    """As one object, at the end."""
    Showing(as_json=True).answer(from_iterable(ANSWER) | (), "Hello", {})
    assert json.loads(capsysbinary.readouterr().out)["text"] == "Hi!"


def test_the_text_is_kept_in_a_file_too(capsys, tmp_path):
    """Beside what is shown."""
    path = tmp_path / "answer.txt"
    Showing(save=str(path)).answer(from_iterable(ANSWER) | (), "Hello", {})
    assert (path.read_text(), capsys.readouterr().out) == ("Hi!", "Hi!")


def test_a_run_that_fails_says_how_far_it_got(capsys):
    """The error comes out."""

    def items():
        yield Token("Hi")
        raise TruncatedStreamError("cut")

    with pytest.raises(TruncatedStreamError):
        Showing().answer(from_iterable(items()) | (), "Hello", {})
    assert capsys.readouterr().err.endswith("1 token · failed\n")
