"""What docs/extend says of hooks and of the kit agrees with the code."""

import inspect
import re
from pathlib import Path

import pytest

from streamkit import hookspecs, hooktrace, loading, testing
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


@pytest.mark.parametrize("kind", ["transforms", "sources", "formats", "sinks", "stores", "observers"])
def test_each_kind_of_part_has_its_page(kind):
    """With what it is held to, or with how it fails."""
    page = (EXTEND / f"{kind}.md").read_text(encoding="utf-8")
    assert "## The laws" in page or "## When an observer fails" in page
