"""The documentation names everything there is, and nothing else."""

import re
import tomllib
from importlib import import_module
from pathlib import Path

import pytest
import yaml

import streamkit
from streamkit.hookspecs import LIFECYCLE, REGISTRATION
from streamkit.testing import FAULTS

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
EXECUTED = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *PAGES]


def documented(prefix):
    """Return the names directly below a module that the reference pages show."""
    pages = "\n".join(page.read_text(encoding="utf-8") for page in (DOCS / "reference").glob("*.md"))
    return re.findall(rf"^::: {re.escape(prefix)}\.(\w+)$", pages, re.MULTILINE)


def pages_of(nav):
    """Return the paths in a navigation tree."""
    if isinstance(nav, str):
        return [nav]
    return [page for part in (nav.values() if isinstance(nav, dict) else nav) for page in pages_of(part)]


def test_the_reference_has_each_public_name_once():
    """What can be imported from streamkit is on one reference page, and nothing else is shown as if it could be."""
    modules = {"errors"}  # shown for the tree in its docstring
    assert sorted(set(documented("streamkit")) - modules) == sorted(streamkit.__all__)
    assert len(documented("streamkit")) == len(set(documented("streamkit")))


@pytest.mark.parametrize(
    "module", ["streamkit.testing", "streamkit.formats", "streamkit.web.gateway", "streamkit.web.resumable"]
)
def test_the_reference_has_each_name_of_the_modules_it_shows(module):
    """Each once, and nothing that the module does not name."""
    assert sorted(documented(module)) == sorted(import_module(module).__all__)


def test_the_reference_has_each_fault():
    """A module that is shown as a whole shows what it defines: the modules of faults have all that there are."""
    shown = {f"streamkit.testing.faults.{module}" for module in documented("streamkit.testing.faults")}
    assert {fault.__module__ for fault in FAULTS.values()} == shown


def test_the_reference_has_each_hook():
    """The hooks on the reference page are those that are specified."""
    assert sorted(documented("streamkit.hookspecs")) == sorted(LIFECYCLE + REGISTRATION)


def test_the_navigation_has_each_page_once():
    """A page that nobody can find is no documentation."""
    nav = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))["nav"]
    assert sorted(pages_of(nav)) == [page.relative_to(DOCS).as_posix() for page in PAGES]


def test_the_front_page_links_to_each_page():
    """Who reads the pages on a code host has no navigation but that one."""
    linked = re.findall(r"\]\(([\w/-]+\.md)\)", (DOCS / "index.md").read_text(encoding="utf-8"))
    assert {"index.md", *linked} == {page.relative_to(DOCS).as_posix() for page in PAGES}


@pytest.mark.parametrize("page", EXECUTED, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_each_code_block_is_executed(page):
    """A block has a language that the harness runs, or none because it is a drawing."""
    fences = re.findall(r"^```(.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    assert set(fences[0::2]) <= {"python", "text", "console", ""}
    assert set(fences[1::2]) <= {""}


@pytest.mark.parametrize("page", EXECUTED, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_each_command_of_make_exists(page):
    """A `make` command that is shown is a target of the Makefile."""
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    shown = re.findall(r"(?:`|^    )make (\w+)", page.read_text(encoding="utf-8"), re.MULTILINE)
    assert set(shown) <= targets


@pytest.mark.parametrize("page", EXECUTED, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_the_package_is_installed_by_its_name(page):
    """`pip install` is shown with the name of the distribution, or of a plugin of ours."""
    projects = [ROOT / "pyproject.toml", *(ROOT / "plugins").glob("streamkit-*/pyproject.toml")]
    names = {tomllib.loads(project.read_text(encoding="utf-8"))["project"]["name"] for project in projects}
    assert set(re.findall(r"pip install (\w[\w-]*)", page.read_text(encoding="utf-8"))) <= names


@pytest.mark.parametrize("page", EXECUTED, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_each_link_leads_somewhere(page):
    """A relative link names a file that exists."""
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text):
        assert (page.parent / target).exists(), target


def test_the_floors_are_described_as_they_are_checked():
    """CONTRIBUTING has every module that the layers of import-linter have, and no other."""
    linter = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    layers = " ".join(linter["contracts"][0]["layers"])
    modules = set(re.findall(r"(?<!\()\b\w+\b", layers)) - {"__main__"}  # in parentheses: not there yet
    chapter = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").split("## The floors")[1].split("\n## ")[0]
    assert set(re.findall(r"`([a-z_]+)`", chapter)) == modules
