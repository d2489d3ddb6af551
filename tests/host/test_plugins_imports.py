"""Plugins keep to what is promised: docs/extend/compatibility.md holds for our own, too."""

import ast
from pathlib import Path

import pytest

import streamkit
from streamkit import testing

ROOT = Path(__file__).parents[2]
PROMISED = {"streamkit": set(streamkit.__all__), "streamkit.testing": set(testing.__all__)}
MODULES = sorted(
    path
    for plugin in (ROOT / "plugins").iterdir()
    for path in [*plugin.glob("src/**/*.py"), *(plugin.glob("tests/*.py") if plugin.name == "_template" else ())]
)


def unpromised(code):
    """Return what a module takes of streamkit that no version need have."""
    found = []
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            found += [each.name for each in node.names if each.name.split(".")[0] == "streamkit"]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "streamkit":
            names = PROMISED.get(node.module, set())
            found += [f"{node.module}.{each.name}" for each in node.names if each.name not in names]
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_plugin_takes_only_what_is_promised(path):
    """Names of `streamkit.__all__` and `streamkit.testing.__all__`, also where only type checkers look."""
    assert unpromised(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("from streamkit import Token, hookimpl\nfrom streamkit.testing import replay\nimport streamkit_own.part", []),
        ("from streamkit.protocols import Batch", ["streamkit.protocols.Batch"]),
        ("def f():\n    from streamkit import protocols", ["streamkit.protocols"]),
        ("import streamkit.stores as s", ["streamkit.stores"]),
        ("from streamkit import *", ["streamkit.*"]),
    ],
)
def test_each_way_around_it_is_seen(code, found):
    """Wherever the import stands, and however it is spelled."""
    assert unpromised(code) == found
