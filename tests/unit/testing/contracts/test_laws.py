"""What all contracts share: the search for the smallest input, and how it is told."""

import sys

import pytest
from hypothesis import strategies as st

from streamkit import Attempt, Finish, Token, ToolCallDelta, Usage
from streamkit.testing import (
    LawBroken,
    assert_format_contract,
    assert_sink_contract,
    assert_source_contract,
    assert_transform_contract,
)
from streamkit.testing.contracts._laws import about, examine, guarded, written
from streamkit.transforms import TrimStart


def test_events_are_written_as_python_reads_them():
    """Only what differs from the default, so that a stream can be pasted into a test."""
    events = [
        Token("a\n", 7, special=True),
        ToolCallDelta(arguments="{"),
        Attempt(number=1, error="busy", wait=0.5),
        Finish(reason="length", usage=Usage(prompt_tokens=1)),
    ]
    shown = written(events)
    assert eval(shown) == events  # noqa: S307 - what it was written for
    assert "logprob" not in shown


@pytest.mark.parametrize(
    "contract", [assert_transform_contract, assert_source_contract, assert_sink_contract, assert_format_contract]
)
def test_a_class_is_not_held_to_the_laws_of_its_instances(contract):
    """It is told apart, before any law is looked at."""
    body = (b"",) if contract is assert_format_contract else ()
    with pytest.raises(TypeError, match=r"^TrimStart is a class: a contract is for a part, TrimStart\(\.\.\.\)$"):
        contract(TrimStart, *body)


def test_the_smallest_input_is_reported():
    """Of all that break the law."""

    def check(number):
        if number > 10:
            raise LawBroken("numbers are small", f"{number} is not")

    with pytest.raises(LawBroken) as caught, about("the part"):
        examine(check, st.integers(), 200)
    assert str(caught.value) == "'the part' breaks a law: numbers are small.\n  11 is not"
    assert (caught.value.law, caught.value.facts) == ("numbers are small", ("11 is not",))


def test_shrinking_stays_with_the_law_that_was_broken_first():
    """A smaller input that breaks another law would be told with the wrong reason."""
    laws = []

    def check(number):
        if number > 10:
            laws.append("large" if number > 50 else "middling")
            raise LawBroken(laws[-1], str(number))

    with pytest.raises(LawBroken) as caught:
        examine(check, st.integers(0, 1000), 200)
    assert caught.value.law == laws[0]


def test_what_is_not_a_broken_law_is_raised_as_it_is():
    """A mistake of the test itself must not look like one of the part."""

    def check(number):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        examine(check, st.integers(), 10)


def test_what_fails_only_sometimes_is_reported_with_that():
    """State outside of the input is a broken law too."""
    calls = []

    def check(number):
        calls.append(number)
        if len(calls) == 1:
            raise LawBroken("numbers are small", "the first is not")

    with pytest.raises(LawBroken, match="the same input did not always do so"):
        examine(check, st.integers(), 10)


def test_the_cause_of_a_broken_law_is_chained():
    """The author sees where the part raised."""
    with pytest.raises(LawBroken, match=r"here\n  raised KeyError: 'k'") as caught:
        guarded("nothing is raised", lambda: {}["k"], "here")
    assert isinstance(caught.value.__cause__, KeyError)


def test_a_missing_hypothesis_is_told_with_the_remedy(monkeypatch):
    """It is an extra."""
    monkeypatch.setitem(sys.modules, "hypothesis", None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'streamkit-hf\[testing\]'"):
        assert_transform_contract(TrimStart())


def test_pytest_shows_the_authors_line_and_the_message_alone(tmp_path):
    """None of the contract's own code stands between them."""
    import subprocess

    (tmp_path / "test_it.py").write_text(
        "from streamkit.testing import assert_transform_contract\n"
        "class T:\n    def start(self): return self\n"
        "def test_it():\n    assert_transform_contract(T())\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:asyncio", "test_it.py"]
    shown = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False).stdout  # noqa: S603 - our own code
    assert ">       assert_transform_contract(T())" in shown
    assert "breaks a law: a recipe is frozen" in shown
    assert "contracts/" not in shown
