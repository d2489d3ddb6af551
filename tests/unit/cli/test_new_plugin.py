"""A plugin to begin with: renamed throughout, and never over something else."""

import ast
import builtins
import keyword
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import streamkit
from streamkit import Host, testing
from streamkit.cli import new_plugin

TEMPLATE = Path(__file__).parents[3] / "plugins" / "_template"


@pytest.fixture
def make(invoke, tmp_path):
    """Return a function that calls the command in an empty directory."""
    return lambda name: (invoke("new-plugin", name, "--into", str(tmp_path)), tmp_path)


def files(folder):
    """Return the files of a directory, by their path in it."""
    return {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}


def test_the_copy_has_its_own_name_everywhere(make):
    """In paths, in code and in prose: distribution, module, class and registered name."""
    result, folder = make("my-shout")
    assert result.exit_code == 0, result.output
    plugin = folder / "streamkit-my-shout"
    project = tomllib.loads((plugin / "pyproject.toml").read_text())
    assert project["project"]["name"] == "streamkit-my-shout"
    assert project["project"]["entry-points"]["streamkit"] == {"my_shout": "streamkit_my_shout:plugin"}
    assert "class MyShout:" in (plugin / "src/streamkit_my_shout/transform.py").read_text()
    assert '{"my_shout": MyShout}' in (plugin / "src/streamkit_my_shout/plugin.py").read_text()
    assert not [name for name, path in files(plugin).items() if "template" in (name + path.read_text()).lower()]


def test_nothing_of_the_template_is_left_out_but_caches(make):
    """Each file has its counterpart, and Python is still Python."""
    _, folder = make("x")
    tracked = {
        name
        for name in files(TEMPLATE)
        if not any(part.endswith("cache__") or "_cache" in part for part in name.split("/"))
    }
    assert set(files(folder / "streamkit-x")) == {
        name.replace("streamkit_template", "streamkit_x") for name in tracked if ".hypothesis" not in name
    }
    for name, path in files(folder).items():
        if name.endswith(".py"):
            ast.parse(path.read_text())


def test_the_name_of_the_distribution_is_understood_too(make):
    """Who writes `streamkit-shout` means `shout`."""
    result, folder = make("streamkit-shout")
    assert (folder / "streamkit-shout").is_dir()
    assert "pip install --editable" in result.output


def test_a_directory_that_exists_is_not_touched(make):
    """Whatever is in it."""
    _, folder = make("shout")
    changed = folder / "streamkit-shout" / "README.md"
    changed.write_text("mine")
    result, _ = make("shout")
    assert result.exit_code == 2
    assert "exists already" in result.output
    assert changed.read_text() == "mine"


@pytest.mark.parametrize("name", ["Shout", "my_shout", "2much", "a--b", "a-", "../a", "", "schrei!", "streamkit-"])
def test_a_name_that_cannot_be_a_distributions_is_refused(make, name):
    """Before anything is written."""
    result, folder = make(name)
    assert result.exit_code == 2
    assert "is no name for a plugin" in " ".join(result.output.replace("│", "").split())
    assert list(folder.iterdir()) == []


def as_name(identifier):
    """Return the plugin's name whose class would be called so."""
    return (
        re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "-", identifier).strip("_").lower().replace("_", "-")
    )


AWKWARD = sorted(
    {
        as_name(each)
        for each in (*keyword.kwlist, *dir(builtins), *streamkit.__all__, *testing.__all__)
        if as_name(each).isascii()
    }
    | {
        "plugin",
        "replacing",
        "sequence",
        "mapping",
        "callable",
        "any",
        "logging",
        "transform",
        "attrs",
        "pytest",
        "host",
    }
    | {"a", "x2", "x-2", "a-3d", "my-template", "template-2", "templates", "test", "tests", "streamkit", "streamkit-hf"}
    | {f"streamkit-{each}" for each in ("otel", "redis", "builtin")}
    | set(new_plugin.OURS)
)


@pytest.mark.parametrize("name", AWKWARD)
def test_an_awkward_name_makes_a_plugin_that_hides_nothing_or_none(make, name):
    """Each name of Python, of streamkit and of our plugins: refused before anything is written, or sound."""
    result, folder = make(name)
    if result.exit_code:
        assert result.exit_code == 2
        assert ": " in result.output
        assert list(folder.iterdir()) == []
        return
    part = name.removeprefix("streamkit-").replace("-", "_")
    assert part not in new_plugin.OURS
    for path in files(folder):
        if not path.endswith(".py"):
            continue
        tree = ast.parse((folder / path).read_text())
        bound = [
            each.asname or each.name
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom)
            for each in node.names
        ]
        bound += [node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
        assert len(bound) == len(set(bound)), path
        assert not set(bound) & {*dir(builtins), *keyword.kwlist}, path
    entry = (folder / f"streamkit-{part.replace('_', '-')}" / "pyproject.toml").read_text()
    assert tomllib.loads(entry)["project"]["entry-points"]["streamkit"] == {part: f"streamkit_{part}:plugin"}


@pytest.mark.parametrize("name", ["class", "my-template", "x-2"])
def test_the_tests_of_a_plugin_with_an_odd_name_succeed(make, name):
    """As they are on the copy, once it is found as an installed distribution is."""
    result, folder = make(name)
    assert result.exit_code == 0, result.output
    plugin, part = folder / f"streamkit-{name}", name.replace("-", "_")
    info = plugin / "src" / f"streamkit_{part}-0.1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: streamkit-{name}\nVersion: 0.1.0\n")
    (info / "entry_points.txt").write_text(f"[streamkit]\n{part} = streamkit_{part}:plugin\n")
    done = subprocess.run(  # noqa: S603 - our own code
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "-W",
            "error::pytest.PytestCollectionWarning",
            str(plugin),
        ],
        cwd=plugin,
        env=os.environ | {"PYTHONPATH": str(plugin / "src")},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_our_names_are_those_of_our_plugins():
    """Who adds a plugin of ours adds its name to those that a copy cannot have."""
    ours = {path.name.removeprefix("streamkit-").strip("_") for path in TEMPLATE.parent.iterdir() if path.is_dir()}
    built_in = {plugin.name for plugin in Host().plugins()}
    assert ours | built_in | {"hf"} == set(new_plugin.OURS)


@pytest.mark.parametrize("name", ["token", "plugin", "none", "run-result", "exception", "test", "testimony"])
def test_a_name_whose_class_would_hide_something_is_refused(make, name):
    """With what it would be called, and a way out."""
    result, folder = make(name)
    said = " ".join(result.output.replace("│", "").split())
    assert result.exit_code == 2
    assert f"the class of {name!r} would be called {new_plugin._camel(name)}" in said
    assert make(f"filter-{name}")[0].exit_code == 0
    assert [path.name for path in folder.iterdir()] == [f"streamkit-filter-{name}"]


@pytest.mark.parametrize("name", ["smooth", "stop-sequences", "builtin", "hf", "otel", "streamkit-redis", "template"])
def test_a_name_of_our_own_is_refused(make, name):
    """Such a plugin could not be loaded beside streamkit."""
    result, folder = make(name)
    assert result.exit_code == 2
    assert "is a name of streamkit's own" in " ".join(result.output.replace("│", "").split())
    assert list(folder.iterdir()) == []


def test_the_template_of_a_wheel_is_preferred(monkeypatch, tmp_path):
    """A checkout has it beside the sources, a wheel inside the package."""
    assert new_plugin._template() == TEMPLATE
    shipped = tmp_path / "streamkit" / "_template"
    shipped.mkdir(parents=True)
    monkeypatch.setattr(new_plugin, "__file__", str(tmp_path / "streamkit" / "cli" / "new_plugin.py"))
    assert new_plugin._template() == shipped
