"""Installed plugins: found by entry point, chosen by environment, and left out alone when they are broken."""

import sys

import pytest

from streamkit import Host, PluginLoadError
from streamkit.host import Listed
from streamkit.loading import ALLOWED, BLOCKED, Origin, find, load

GOOD = """
class Plugin:
    def register_transforms(self):
        return {"NAME": dict}
    def on_text(self, text): ...
plugin = Plugin()
"""


def good(name):
    """Return the code of a plugin that registers a transform under its own name."""
    return GOOD.replace("NAME", name)


def listed(host):
    """Return what is known of the installed plugins that were chosen, by name."""
    return {plugin.name: plugin for plugin in host.plugins() if plugin.origin and not plugin.left_out}


def test_an_installed_plugin_is_loaded_with_its_provenance(install):
    """Name, module, distribution and version, hooks and names are those of the distribution."""
    module = install("owl", good("owl"), version="2.3")
    host = Host(entry_points=True)
    assert listed(host)["owl"] == Listed(
        name="owl",
        origin=Origin(name="owl", module=f"{module}:plugin", distribution="streamkit-owl", version="2.3"),
        hooks=("register_transforms", "on_text"),
        names={"transforms": ("owl",)},
    )
    assert host.registry("transforms")["owl"].plugin == "owl"
    assert len(host.plan().on_text) == 1


def test_a_class_and_a_module_can_be_entry_points(install):
    """A class is instantiated; a module is taken as it is."""
    install("cls", good("cls"), points={"cls": "streamkit_cls:Plugin"})
    install("mod", "def on_text(text): ...", points={"mod": "streamkit_mod"})
    assert len(Host(entry_points=True).plan().on_text) == 2


def test_the_default_host_has_the_installed_plugins(install):
    """It is made at the first call, and kept."""
    install("owl", good("owl"))
    Host.default.cache_clear()
    try:
        assert "owl" in Host.default().registry("transforms")
    finally:
        Host.default.cache_clear()


def test_a_host_of_ones_own_has_none(install):
    """Libraries and tests are not changed by what happens to be installed."""
    install("owl", good("owl"))
    assert "owl" not in Host().registry("transforms")


@pytest.mark.parametrize(
    ("variable", "value", "loaded"),
    [
        (ALLOWED, "", set()),
        (ALLOWED, "owl", {"owl"}),
        (ALLOWED, " owl , hare", {"owl", "hare"}),
        (BLOCKED, "", {"owl", "hare"}),
        (BLOCKED, "hare", {"owl"}),
        (BLOCKED, "hare,owl", set()),
    ],
)
def test_the_environment_chooses_and_the_others_are_not_even_imported(install, monkeypatch, variable, value, loaded):
    """An allow list, empty for none, and a block list; a plugin left out costs nothing and can do nothing."""
    modules = {name: install(name, good(name)) for name in ("owl", "hare")}
    monkeypatch.setenv(variable, value)
    assert set(listed(Host(entry_points=True))) & set(modules) == loaded
    assert {name for name, module in modules.items() if module in sys.modules} == loaded


def test_the_block_list_wins(install, monkeypatch):
    """What is on both lists is not loaded."""
    install("owl", good("owl"))
    monkeypatch.setenv(ALLOWED, "owl")
    monkeypatch.setenv(BLOCKED, "owl")
    assert listed(Host(entry_points=True)) == {}


@pytest.mark.parametrize(
    ("variable", "value", "why"),
    [
        (ALLOWED, "hare", "left out by STREAMKIT_PLUGINS, which does not name it"),
        (BLOCKED, "owl", "left out by STREAMKIT_DISABLED_PLUGINS, which names it"),
    ],
)
def test_one_that_was_not_chosen_is_listed_with_the_reason(install, monkeypatch, variable, value, why):
    """Whoever misses it sees that it is installed, and which variable to change; nothing of it was imported."""
    module = install("owl", good("owl"), version="2.3")
    monkeypatch.setenv(variable, value)
    (owl,) = [plugin for plugin in Host(entry_points=True).plugins() if plugin.name == "owl"]
    origin = Origin(name="owl", module=f"{module}:plugin", distribution="streamkit-owl", version="2.3")
    assert owl == Listed(name="owl", origin=origin, left_out=why)
    assert module not in sys.modules


BROKEN = {
    "its import fails": ("import nonsense_that_is_not_installed", "ModuleNotFoundError: No module named 'nonsense"),
    "it is no Python": ("plugin = = 1", "SyntaxError: invalid syntax"),
    "it raises while it is imported": ("1 / 0", "ZeroDivisionError: division by zero"),
    "it exits while it is imported": ("import sys\nsys.exit(3)", "SystemExit: 3"),
    "it raises what is no Exception": (
        "class Panic(BaseException): ...\nraise Panic('at the other side')",
        "Panic: at the other side",
    ),
    "its object is not there": ("", "AttributeError: module 'streamkit_odd' has no attribute 'plugin'"),
    "its class raises": ("class plugin:\n    def __init__(self):\n        raise OSError('no key')", "OSError: no key"),
    "it is no plugin": ("plugin = 5", "PluginError: plugin 'odd' has no hook"),
    "it misspells a hook": (
        "class plugin:\n    def on_txt(self, text): ...",
        "PluginError: plugin 'odd' has a method 'on_txt', which is not a hook: did you mean 'on_text'?",
    ),
    "it asks for an argument that is not there": (
        "class plugin:\n    def on_text(self, txt): ...",
        "PluginError: plugin 'odd': ",
    ),
    "it takes a name of ours": (
        "class plugin:\n    def register_transforms(self):\n        return {'smooth': dict}",
        "both register 'smooth' among the transforms",
    ),
    "its registration raises": (
        "class plugin:\n    def register_sinks(self):\n        1 / 0",
        "register_sinks raised ZeroDivisionError",
    ),
    "its registration exits": (
        "class plugin:\n    def register_sinks(self):\n        raise SystemExit(3)",
        "register_sinks raised SystemExit: 3",
    ),
    "its abort hook is a coroutine function": (
        "class plugin:\n    async def on_abort(self, reason): ...",
        "PluginError: plugin 'odd': 'on_abort' must be a plain function",
    ),
}


@pytest.mark.parametrize(("code", "why"), BROKEN.values(), ids=BROKEN)
def test_a_broken_plugin_is_warned_of_listed_and_left_out(install, code, why):
    """The warning names plugin, distribution, version, module and cause, and how to do without; the others work."""
    install("aye", good("aye"))
    install("odd", code, version="0.3")
    install("zoo", good("zoo"))
    with pytest.warns(RuntimeWarning) as warned:
        host = Host(entry_points=True)
    (message,) = [str(each.message) for each in warned]
    assert message.startswith("plugin 'odd' of streamkit-odd 0.3 could not be loaded from streamkit_odd:plugin: ")
    assert why in message
    assert message.endswith("(set STREAMKIT_DISABLED_PLUGINS=odd to do without it)")
    found = listed(host)
    assert found["odd"].error == message
    assert found["odd"].origin.version == "0.3"
    assert found["odd"].hooks == ()
    assert {"aye", "zoo", "smooth"} <= set(host.registry("transforms"))
    assert len(host.plan().on_text) == 2


@pytest.mark.parametrize(
    "code", ["raise KeyboardInterrupt", "class plugin:\n    def register_sinks(self):\n        raise KeyboardInterrupt"]
)
def test_a_user_who_interrupts_the_loading_is_obeyed(install, code):
    """It is the user's word, not the plugin's."""
    install("odd", code)
    with pytest.raises(KeyboardInterrupt):
        Host(entry_points=True)


def test_the_error_of_a_plugin_names_distribution_and_entry_point(install):
    """They are attributes too, and the cause is chained."""
    install("odd", "import nonsense_that_is_not_installed")
    ((origin, entry_point),) = [found for found in find() if found[0].name == "odd"]
    with pytest.raises(PluginLoadError) as caught:
        load(origin, entry_point)
    assert (caught.value.distribution, caught.value.entry_point) == ("streamkit-odd", "odd")
    assert isinstance(caught.value.__cause__, ModuleNotFoundError)


def test_two_plugins_that_register_one_name_leave_the_first_in_place(install):
    """The later one is left out, and the message names both."""
    install("hare", good("same"))
    install("owl", good("same"))
    owners = "('hare' and 'owl'|'owl' and 'hare')"
    with pytest.warns(RuntimeWarning, match=f"plugin 'owl' of .*{owners} both register 'same' among the transforms"):
        host = Host(entry_points=True)
    assert host.registry("transforms")["same"].plugin == "hare"


def test_two_distributions_with_one_entry_point_name_leave_the_first_in_place(install):
    """Both distributions are named, and the first plugin keeps working under its own provenance."""
    install("owl", good("owl"), distribution="streamkit-barn")
    install("owl", good("owl"), distribution="streamkit-wood")
    with pytest.warns(RuntimeWarning) as warned:
        host = Host(entry_points=True)
    (message,) = [str(each.message) for each in warned]
    assert "streamkit-barn 1.0" in message
    assert "streamkit-wood 1.0" in message
    first, second = [plugin for plugin in host.plugins() if plugin.name == "owl"]
    assert first.error is None
    assert host.registry("transforms")["owl"].plugin == "owl"
    assert second.error == message
    assert first.origin.distribution != second.origin.distribution


def test_an_installed_plugin_named_as_ours_does_not_displace_it(install):
    """The name `builtin` is taken."""
    install("builtin", good("owl"), distribution="streamkit-rogue")
    with pytest.warns(RuntimeWarning, match="the entry point 'builtin' of streamkit has that name already"):
        host = Host(entry_points=True)
    assert "smooth" in host.registry("transforms")
    assert "owl" not in host.registry("transforms")
