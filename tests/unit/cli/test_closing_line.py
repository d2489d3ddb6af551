"""The line that says how an answer came about."""

import pytest

from streamkit.cli.closing_line import closing_line
from streamkit.events import Finish, Usage


def test_a_complete_answer_has_its_times_tokens_and_reason(ended, stopped):
    """Five tokens, four of them in the two seconds after the first, are two tokens a second."""
    result = ended("a", "b", "c", "d", "e", finish=stopped).complete()

    assert closing_line(result) == r"first token 250 ms · 2.0 tokens/s · 5 tokens · stop_sequence '\nUser:'"


def test_tokens_are_counted_by_the_engine_where_it_does(ended):
    """Two pieces that hold nine tokens count as nine."""
    finish = Finish(reason="length", usage=Usage(completion_tokens=9))

    assert closing_line(ended("a", "b", finish=finish).complete()) == (
        "first token 250 ms · 4.0 tokens/s · 9 tokens · length"
    )


def test_one_token_has_no_rate(ended):
    """There is no speed of tokens after the first where there is none."""
    assert closing_line(ended("a", finish=Finish(reason="eos_token")).complete()) == (
        "first token 250 ms · 1 token · eos_token"
    )


def test_an_answer_without_tokens_has_no_times(ended):
    """Nothing is invented about a first token that never came."""
    assert closing_line(ended(finish=Finish(), times=(10.0, 12.0)).complete()) == "0 tokens · no finish reason given"


@pytest.mark.parametrize(("verdict", "said"), [(True, 0), (None, 0), (False, 1)])
def test_a_text_that_is_not_the_servers_own_is_pointed_out(ended, verdict, said):
    """Lost tokens leave no other trace."""
    line = closing_line(ended("a", "b", finish=Finish(reason="length", reconciled=verdict)).complete())

    assert line.count(" · length · not the text that the server says it generated") == said


@pytest.mark.parametrize(
    ("settle", "word"), [(lambda run: run.abort(), "aborted"), (lambda run: run.fail(OSError()), "failed")]
)
def test_an_incomplete_answer_says_so(ended, settle, word):
    """A run that was left or that failed has no finish reason to show."""
    assert closing_line(settle(ended("a", "b"))).endswith(f"2 tokens · {word}")
