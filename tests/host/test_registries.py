"""Named parts: who registered them, what two owners of one name come to, and what is loaded when."""

import subprocess
import sys

import pytest

from streamkit import Host, Pipeline, PluginError
from streamkit._builtin import Builtin
from streamkit.formats import FORMATS
from streamkit.hookspecs import REGISTRATION
from streamkit.host import KINDS
from streamkit.testing import replay
from streamkit.transforms import StopSequences, TrimStart


def of(kind, **names):
    """Return a plugin that registers names of a kind."""
    return {f"register_{kind}": lambda: names}


@pytest.mark.parametrize("kind", KINDS)
def test_each_name_keeps_its_owner(kind):
    """Built-in parts and those of plugins are told apart."""
    host = Host()
    host.register(of(kind, mine=TrimStart), "owner")
    registry = host.registry(kind)
    assert (registry["mine"].plugin, registry["mine"].factory) == ("owner", TrimStart)
    assert {part.plugin for name, part in registry.items() if name != "mine"} == {"builtin"}


@pytest.mark.parametrize("kind", KINDS)
def test_two_owners_of_a_name_are_both_named(kind):
    """Nobody guesses which of two parts a configuration means."""
    host = Host(builtin=False)
    host.register(of(kind, same=TrimStart), "first")
    host.register(of(kind, same=TrimStart), "second")
    with pytest.raises(
        PluginError, match=rf"plugins '(first|second)' and '(first|second)' both.*'same' among the {kind}"
    ):
        host.registry(kind)


def test_a_plugin_cannot_take_a_name_of_ours():
    """The built-in parts have the same rights as others: none is overridden silently."""
    host = Host([of("transforms", trim_start=TrimStart)])
    with pytest.raises(PluginError, match=r"'builtin'.*register 'trim_start' among the transforms"):
        host.registry("transforms")


def test_one_name_may_stand_for_parts_of_two_kinds():
    """Kinds are looked up apart."""
    host = Host([of("transforms", mine=1), of("sinks", mine=2)], builtin=False)
    assert host.registry("transforms")["mine"].factory == 1
    assert host.registry("sinks")["mine"].factory == 2


@pytest.mark.parametrize("returned", [None, ["a"], {1: TrimStart}, {"": TrimStart}])
def test_registration_that_is_no_mapping_of_names_is_refused(returned):
    """The message names plugin and hook."""
    host = Host(builtin=False)
    host.register({"register_sinks": lambda: returned}, "odd")
    with pytest.raises(PluginError, match=r"plugin 'odd': register_sinks must return a mapping of names"):
        host.registry("sinks")


def test_registration_that_raises_names_the_plugin():
    """The cause is chained."""

    def register_sources():
        raise ValueError("no disk")

    host = Host(builtin=False)
    host.register({"register_sources": register_sources}, "odd")
    with pytest.raises(PluginError, match=r"plugin 'odd': register_sources raised ValueError: no disk") as caught:
        host.registry("sources")
    assert isinstance(caught.value.__cause__, ValueError)


def test_plugins_are_asked_once_and_not_before_they_must_be():
    """Registration is lazy, and its answer is kept until the plugins change."""
    asked = []
    host = Host([{"register_sinks": lambda: asked.append(1) or {}}], builtin=False)
    assert asked == []
    host.registry("sinks")
    host.registry("sinks")
    assert asked == [1]
    host.register(of("sinks", late=1), "late")
    assert host.registry("sinks")["late"].plugin == "late"


def test_our_own_parts_are_registered_by_the_public_hooks_alone():
    """A host without the built-in plugin has nothing, and the plugin is an object like any other."""
    assert all(not Host(builtin=False).registry(kind) for kind in KINDS)
    by_hand = Host(builtin=False)
    by_hand.register(Builtin(), "builtin")
    for kind in KINDS:
        assert by_hand.registry(kind) == Host().registry(kind)
    assert set(REGISTRATION) == {name for name in vars(Builtin) if not name.startswith("_")}
    assert {name: part.factory for name, part in Host().registry("formats").items()} == dict(FORMATS)


def test_the_core_works_without_any_plugin():
    """Neither built-in nor installed parts are needed by who has the objects in hand."""
    host = Host(builtin=False, entry_points=False)
    pipeline = Pipeline(replay(["a #", "## b"]), transforms=[StopSequences("###")], host=host)
    assert pipeline.run().text == "a "


def test_hosts_know_nothing_of_each_other():
    """Each has a manager of its own."""
    one, two = Host([{"on_text": lambda text: None, **of("sinks", mine=1)}]), Host()
    assert len(one.plan().on_text) == 1
    assert two.plan().on_text == ()
    assert "mine" not in two.registry("sinks")
    assert Host.default() is Host.default()
    assert "mine" not in Host.default().registry("sinks")


def test_importing_streamkit_loads_no_plugin(install, tmp_path):
    """Not even those of the pipeline that is composed from objects; a name is what it takes."""
    marker = tmp_path / "imported"
    install("eager", f"open({str(marker)!r}, 'w').close()\nplugin = {{'on_text': lambda text: None}}")
    code = (
        "import pathlib, streamkit, streamkit.testing\n"
        "streamkit.Pipeline(streamkit.from_iterable(['a'])).run()\n"
        f"assert not pathlib.Path({str(marker)!r}).exists()\n"
        "streamkit.Host.default()\n"
        f"assert pathlib.Path({str(marker)!r}).exists()\n"
    )
    subprocess.run(  # noqa: S603 - this interpreter and our own code
        [sys.executable, "-c", code], check=True, env={"PYTHONPATH": str(tmp_path)}, cwd=tmp_path
    )
