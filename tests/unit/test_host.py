"""The plugin host refuses what would not work, in words that say what to do."""

import functools
from types import ModuleType

import attrs
import pytest

from streamkit.errors import PluginError
from streamkit.hookspecs import hookimpl
from streamkit.host import Host


class Watcher:
    """A plugin."""

    def on_text(self, text):
        """See text."""


@attrs.define
class ByValue:
    """A plugin that attrs made unhashable."""

    def on_text(self, text):
        """See text."""


def calls(host, name="on_text"):
    """Return how many implementations a hook has."""
    return len(getattr(host.plan(), name))


def test_objects_mappings_and_modules_are_plugins():
    """Whatever has functions named like hooks."""
    module = ModuleType("watching")
    module.on_text = lambda text: None
    assert calls(Host([Watcher(), {"on_text": lambda text: None}, module])) == 3


@pytest.mark.parametrize(
    ("plugin", "message"),
    [
        (Watcher, "is a class: register an instance"),
        (ByValue(), r"is not hashable: give it eq=False \(@attrs.define\(eq=False\)\)"),
        ({"on_txt": lambda: None}, "'on_txt', which is not a hook: did you mean 'on_text'"),
        ({"ontext": lambda: None}, "'ontext', which is not a hook: did you mean 'on_text'"),
        ({"on_everything_there_is": lambda: None}, "which is not a hook: the hooks are register_sources"),
        ({"on_text": 5}, "'on_text' is a int, which would be ignored"),
        ({"on_text": functools.partial(print, "x")}, "'on_text' is a partial, which would be ignored"),
        ({"on_text": [].append}, "'on_text' is a builtin_function_or_method, which would be ignored.*a lambda will do"),
        ({"on_text": lambda *, text: None}, "would never be given 'text'.*by position"),
        ({"on_text": lambda text=None: None}, "would never be given 'text=None'.*without a default"),
        ({"on_text": lambda *args: None}, r"would never be given '\*args'"),
        ({"on_text": lambda **kwargs: None}, r"would never be given '\*\*kwargs'"),
        ({"on_text": lambda token: None}, "token.*can not be found in the hookspec"),
        (lambda text: None, "has no hook; the hooks are"),
        ("on_text", "has no hook"),
        ({}, "has no hook"),
    ],
)
def test_a_plugin_that_would_not_work_is_refused(plugin, message):
    """Each refusal names the plugin and the remedy; pluggy would be silent about most of these."""
    with pytest.raises(PluginError, match=f"(?s)^plugin '.+{message}"):
        Host([plugin])


def test_a_method_with_a_misspelt_name_is_refused_too():
    """The nearest hook is named."""

    class Typo:
        def on_fnal(self, result): ...

    with pytest.raises(PluginError, match=r"Typo.*did you mean 'on_final'"):
        Host([Typo()])


def test_a_marked_method_that_is_no_hook_is_refused():
    """A marker is a promise that a hook exists."""

    class Marked:
        @hookimpl
        def text_arrives(self, text): ...

    with pytest.raises(PluginError, match="unknown hook 'text_arrives'"):
        Host([Marked()])


@pytest.mark.parametrize("name", ["on_abort", "register_sources"])
def test_a_coroutine_function_is_refused_where_nobody_awaits_it(name):
    """`on_abort` runs while being cancelled, and registration is synchronous."""

    async def hook(): ...

    with pytest.raises(PluginError, match=f"'{name}' must be a plain function, not a coroutine function"):
        Host([{name: hook}])
    marked = type("Marked", (), {"hook": staticmethod(hookimpl(specname=name)(hook))})()
    with pytest.raises(PluginError, match=f"'{name}' must be a plain function"):
        Host([marked])


def test_generators_are_refused_because_their_body_would_never_run():
    """A `yield` too much, or a wrapper of pluggy's kind, which lifecycle hooks do not have."""

    def one(text):
        yield

    async def two(text):
        yield

    for hook in (one, two, hookimpl(wrapper=True)(one)):
        with pytest.raises(PluginError, match="'on_text' is a generator"):
            Host([{"on_text": hook}])


def test_the_same_plugin_is_registered_once():
    """Twice the same object, or the same name, is a mistake."""
    watcher = Watcher()
    with pytest.raises(PluginError, match="registered already"):
        Host([watcher, watcher])
    host = Host()
    host.register(Watcher(), "mine")
    with pytest.raises(PluginError, match="'mine' is registered already"):
        host.register(Watcher(), "mine")
    assert calls(host) == 1


@pytest.mark.parametrize(
    "bad", [{"on_text": lambda text: None, "on_final": lambda *, result: None}, {"on_text": lambda nonsense: None}]
)
def test_a_refused_plugin_leaves_the_host_as_it_was(bad):
    """A plugin is registered whole or not at all."""
    host = Host([Watcher()])
    with pytest.raises(PluginError):
        host.register(bad, "bad")
    assert calls(host) == 1
    host.register({"on_text": lambda text: None}, "bad")
    assert calls(host) == 2
