"""What docs/extend says of hooks and of the kit agrees with the code."""

import inspect
import re
from pathlib import Path

import pytest

from streamkit import hookspecs, hooktrace, loading, testing
from streamkit.host import KINDS
from streamkit.testing.recording import GRAMMAR

EXTEND = Path(__file__).parents[2] / "docs" / "extend"
HOOKS = (EXTEND / "hooks.md").read_text(encoding="utf-8")
TESTING = (EXTEND / "testing.md").read_text(encoding="utf-8")


def test_each_hook_is_listed_with_its_arguments():
    """In the order of the specifications, each once."""
    listed = re.findall(r"^\| `((?:on|register)_\w+\(.*?\))`", HOOKS, re.MULTILINE)
    specified = [
        f"{name}({', '.join(inspect.signature(getattr(hookspecs, name)).parameters)})"
        for name in hookspecs.REGISTRATION + hookspecs.LIFECYCLE
    ]
    assert listed == specified


def test_the_grammar_is_that_of_the_specifications():
    """One line, the same in the module that the drivers are tested against."""
    (grammar,) = re.findall(r"^ {4}(on_start .*)$", hookspecs.__doc__, re.MULTILINE)
    assert f"\n    {grammar}\n" in HOOKS
    assert grammar == GRAMMAR


@pytest.mark.parametrize("variable", [loading.ALLOWED, loading.BLOCKED, hooktrace.VARIABLE])
def test_each_variable_is_listed(variable):
    """Who looks for a switch finds it."""
    assert f"| `{variable}` |" in HOOKS


def test_each_contract_is_listed():
    """The table leads to the laws."""
    for name in testing.__all__:
        if name.endswith("_contract"):
            assert f"| `{name}(" in TESTING


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_part_has_its_page(kind):
    """With its laws, the contract that holds a part to them, and the hook that registers it."""
    page = (EXTEND / f"{kind}.md").read_text(encoding="utf-8")
    assert "## The laws" in page
    assert f"assert_{kind.removesuffix('s')}_contract(" in page
    assert f"register_{kind}" in page


def test_observers_have_their_page():
    """With how one fails, and what becomes of the run."""
    assert "## When an observer fails" in (EXTEND / "observers.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", ["first-plugin", "../index"])
def test_each_kind_of_part_is_reached(page):
    """From the first plugin to what it was not about, and from the front page."""
    text = (EXTEND / f"{page}.md").read_text(encoding="utf-8")
    for kind in (*KINDS, "observers"):
        assert f"{kind}.md)" in text
