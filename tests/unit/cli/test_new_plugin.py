"""A plugin to begin with: renamed throughout, and never over something else."""

import ast
import tomllib
from pathlib import Path

import pytest

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


@pytest.mark.parametrize("name", ["smooth", "stop-sequences", "hf", "template"])
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
