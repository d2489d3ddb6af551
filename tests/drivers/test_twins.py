"""The two drivers are one file written twice; a machine compares them, so that a fix cannot miss one."""

import ast
import inspect
import re

import pytest

from streamkit.drivers import asynchronous, sync

PICKING = {"tokens", "__iter__"}  # built-in functions pick from an iterator, and none from an asynchronous one


def methods(module, name):
    """Return the methods of a driver's class, without docstrings, annotations and `await`."""
    (driver,) = (node for node in ast.parse(inspect.getsource(module)).body if getattr(node, "name", "") == name)
    found = {}
    for node in driver.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = [
                part for part in node.body if not (isinstance(part, ast.Expr) and isinstance(part.value, ast.Constant))
            ]
            found[plain(node.name)] = plain("\n".join(map(ast.unparse, body)))
    return found


def plain(code):
    """Return code as the synchronous driver would write it."""
    code = re.sub(r"\b(await|async) ", "", code)
    code = re.sub(r"\b(__)?a(enter|exit|iter|open|close|write|delivery|telling)(__)?\b", r"\1\2\3", code)
    code = re.sub(r"awaits=(hasattr\(sink, .open.\)|False)", "awaits=...", code)
    code = re.sub(r"(delivering|told) = (.*)\n *if \1 is not None:\n *\1", r"\2", code)
    code = code.replace("ag_running", "gi_running")
    code = code.replace("`async with`", "`with`").replace("`async", "`")
    return re.sub(r"\s+", " ", code)


def test_the_drivers_have_the_same_methods():
    """One that only one of them has would be compared with nothing."""
    assert methods(asynchronous, "AsyncStream").keys() == methods(sync, "Stream").keys() > PICKING


@pytest.mark.parametrize("name", sorted(methods(sync, "Stream").keys() - PICKING))
def test_the_drivers_differ_in_colour_only(name):
    """Without `await` and the names of the asynchronous protocol, both methods are the same text."""
    assert methods(asynchronous, "AsyncStream")[name] == methods(sync, "Stream")[name]


def test_the_asynchronous_driver_knows_no_event_loop():
    """It runs on asyncio and on trio because it imports neither."""
    for loop in ("asyncio", "trio", "anyio"):
        assert not re.search(rf"^\s*(import|from) {loop}\b", inspect.getsource(asynchronous), re.MULTILINE)
