"""The list of plugins, for people and for programs."""

import json
import warnings
from importlib.metadata import version

import attrs
import pytest

from streamkit.cli.plugins import describe
from streamkit.host import Host, Listed
from streamkit.loading import Origin

ORIGIN = Origin(name="owl", module="json:tool", distribution="streamkit-owl", version="2.3")


@pytest.fixture
def installed(streamkit_host, monkeypatch):
    """Return a function that makes a default host with a plugin from this origin."""

    def make(**changes):
        host = streamkit_host()
        host.register({"on_text": lambda text: None, "register_sinks": lambda: {"hoot": dict}}, "owl")
        loaded = host.plugins()
        listed = [attrs.evolve(each, origin=ORIGIN, **changes) if each.name == "owl" else each for each in loaded]
        monkeypatch.setattr(host, "plugins", lambda: tuple(listed))

    return make


def test_json_has_all_there_is_to_know(installed, invoke):
    """A list of objects with the same keys each."""
    installed()
    ours, owl = json.loads(invoke("plugins", "--json").stdout)
    assert owl == {
        "name": "owl",
        "version": "2.3",
        "distribution": "streamkit-owl",
        "module": "json:tool",
        "path": json.__file__,
        "hooks": ["register_sinks", "on_text"],
        "names": {"sinks": ["hoot"]},
        "error": None,
        "left_out": None,
    }
    assert ours.keys() == owl.keys()
    assert (ours["name"], ours["distribution"], ours["version"]) == ("builtin", "streamkit-hf", version("streamkit-hf"))
    assert "stop_sequences" in ours["names"]["transforms"]


def test_each_plugin_has_its_lines(installed, invoke):
    """Where it comes from, and below it what it registers and observes; a narrow terminal has room for that."""
    installed()
    result = invoke("plugins")
    lines = [line.rstrip() for line in result.stdout.splitlines()]
    owl = lines[lines.index("owl  streamkit-owl 2.3  json:tool") :]
    assert owl[1:] == ["  sinks     hoot", "  observes  on_text"]
    assert max(map(len, lines)) <= 80
    assert result.exit_code == 0


def test_one_that_could_not_be_loaded_is_listed_with_the_reason(installed, invoke):
    """The whole sentence follows; a control character in it is shown, not obeyed."""
    installed(error="plugin 'owl' could not be loaded: ImportError: no\x1b[2J wings", hooks=(), names={})
    result = invoke("plugins")
    assert "2.3  json:tool\n  plugin 'owl' could not be loaded: ImportError: no␛[2J wings\n" in result.stdout
    assert json.loads(invoke("plugins", "--json").stdout)[1]["error"].startswith("plugin 'owl'")


def test_one_that_was_left_out_is_listed_with_the_reason(installed, invoke):
    """Below its name, and in its object."""
    installed(left_out="left out by STREAMKIT_PLUGINS, which does not name it", hooks=(), names={})
    assert "json:tool\n  left out by STREAMKIT_PLUGINS, which does not name it\n" in invoke("plugins").stdout
    assert json.loads(invoke("plugins", "--json").stdout)[1]["left_out"].startswith("left out by STREAMKIT_PLUGINS")


def test_the_warning_about_a_broken_plugin_is_not_shown_twice(invoke, monkeypatch):
    """The list says it already, also where warnings are errors."""

    def default():
        warnings.warn("plugin 'owl' could not be loaded", RuntimeWarning, stacklevel=1)
        return Host()

    monkeypatch.setattr(Host, "default", staticmethod(default))
    result = invoke("plugins")
    assert result.exit_code == 0
    assert "owl" not in result.output


def test_a_module_that_was_never_imported_has_no_path():
    """Looking for it would import its package."""
    origin = attrs.evolve(ORIGIN, module="streamkit_nowhere:plugin")
    assert describe(Listed(name="owl", origin=origin, error="no"))["path"] is None
