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
        ({"on_text": 5}, "'on_text' is of type 'int', which would be ignored"),
        ({"on_text": functools.partial(print, "x")}, "'on_text' is of type 'partial', which would be ignored"),
        (
            {"on_text": [].append},
            "'on_text' is of type 'builtin_function_or_method', which would be ignored.*a lambda will do",
        ),
        ({"on_text": lambda *, text: None}, "would never be given 'text'.*by position"),
        ({"on_text": lambda text=None: None}, "would never be given 'text=None'.*without a default"),
        ({"on_text": lambda *args: None}, r"would never be given '\*args'"),
        ({"on_text": lambda **kwargs: None}, r"would never be given '\*\*kwargs'"),
        ({"on_text": lambda token: None}, r"would never be given 'token': a hook gets .* out of \(run, text\)"),
        ({"on_text": lambda run, text, more: None}, r"would never be given 'more'.*out of \(run, text\)"),
        ({"register_sinks": lambda options: None}, r"would never be given 'options'.*out of \(\)"),
        (lambda text: None, "has no hook; the hooks are"),
        ("on_text", "has no hook"),
        ({}, "has no hook"),
    ],
)
def test_a_plugin_that_would_not_work_is_refused(plugin, message):
    """Each refusal names the plugin and the remedy; pluggy would be silent about most of these."""
    with pytest.raises(PluginError, match=f"(?s)^plugin '.+{message}"):
        Host([plugin])


def test_a_class_is_named_as_it_is_in_its_module():
    """And not as what every class is an instance of."""
    with pytest.raises(PluginError, match=rf"^plugin '{__name__}.Watcher-\w+' is a class"):
        Host([Watcher])


@pytest.mark.parametrize("kind", [property, functools.cached_property])
def test_a_property_that_is_called_like_a_hook_is_refused_and_not_read(kind):
    """Whatever it would raise; other properties are the plugin's own business."""

    class Lazy:
        def on_final(self): ...

        @property
        def other(self):
            raise RuntimeError("not to be read")

    assert calls(Host([Lazy()]), "on_final") == 1

    class Wrong(Lazy):
        @kind
        def on_text(self):
            raise RuntimeError("not to be read")

    with pytest.raises(PluginError, match=f"'on_text' is of type '{kind.__name__}', which would be ignored"):
        Host([Wrong()])


def test_a_marked_method_under_another_name_is_told_in_one_line():
    """Of the several in which pluggy says it."""

    class Marked:
        @hookimpl(specname="on_text")
        def hook(self, t): ...

    with pytest.raises(PluginError, match=r"for hook 'on_text' .* Argument\(s\) \{'t'\}") as caught:
        Host([Marked()])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("alone", [Watcher(), Watcher, "on_text", 5, None])
def test_plugins_are_a_list(alone):
    """A single one is refused, with the remedy; only a mapping may stand alone."""
    with pytest.raises(PluginError, match=r"is not a list of plugins or callbacks: put it into one, \[...\]"):
        Host(alone)
    assert calls(Host({"on_text": lambda text: None})) == 1


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
