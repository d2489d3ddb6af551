"""The hooks and what is written about them agree."""

import inspect
import re

import pluggy
import pytest

from streamkit import hookspecs

ALL = hookspecs.REGISTRATION + hookspecs.LIFECYCLE


def manager():
    """Return a manager that knows the hooks."""
    found = pluggy.PluginManager(hookspecs.NAME)
    found.add_hookspecs(hookspecs)
    return found


def test_the_names_are_those_of_the_specifications():
    """No specification is missing from the two families, and none is in both."""
    specified = {name for name in vars(hookspecs) if name.startswith(("on_", "register_"))}
    assert specified == set(ALL)
    assert len(set(ALL)) == len(ALL)


def test_the_grammar_names_every_lifecycle_hook_once_in_order():
    """The line in the module's docstring is what the drivers are tested against."""
    (grammar,) = re.findall(r"^ {4}(on_start .*)$", hookspecs.__doc__, re.MULTILINE)
    assert grammar == "on_start on_retry* (on_token | on_text | on_completion)* (on_error | on_abort)? on_final"
    assert tuple(re.findall(r"on_\w+", grammar)) == hookspecs.LIFECYCLE


@pytest.mark.parametrize("name", hookspecs.LIFECYCLE)
def test_a_lifecycle_hook_gets_the_run_and_one_thing(name):
    """The compiled plan calls with two positional arguments."""
    arguments = getattr(manager().hook, name).spec.argnames
    assert arguments[0] == "run"
    assert len(arguments) == 2


@pytest.mark.parametrize("name", hookspecs.REGISTRATION)
def test_a_registration_hook_gets_nothing(name):
    """It is pure: what it returns depends on nothing."""
    assert getattr(manager().hook, name).spec.argnames == ()


@pytest.mark.parametrize("name", ALL)
def test_every_hook_is_described(name):
    """A plugin author reads the docstring first."""
    assert inspect.getdoc(getattr(hookspecs, name)).endswith(".")
