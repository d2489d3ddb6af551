"""What `streamkit.testing` offers, and what importing it costs."""

import importlib.metadata
import inspect
import subprocess
import sys

import pytest

from streamkit import testing


@pytest.mark.parametrize("name", testing.__all__)
def test_each_name_is_there_and_says_what_it_is(name):
    """Names are looked up when they are first used, so each is tried."""
    assert inspect.getdoc(getattr(testing, name))
    assert name in dir(testing)


def test_other_names_are_not():
    """A misspelt name is told as by any module."""
    with pytest.raises(AttributeError, match="no attribute 'EmulatedEndpont'"):
        testing.EmulatedEndpont


def modules_after(statement):
    """Return the modules that are there once a statement ran in a new interpreter."""
    code = f"{statement}; import sys; print(*sys.modules)"
    return set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split())  # noqa: S603 - our own code


def test_importing_it_loads_nothing_heavy():
    """Neither hypothesis nor pytest nor a server is needed before it is used."""
    loaded = modules_after("import streamkit.testing")
    assert not loaded & {
        "hypothesis",
        "pytest",
        "aiohttp",
        "asyncio",
        "streamkit.testing.emulator",
        "streamkit.sources",
    }


def test_a_contract_loads_hypothesis_when_it_is_called():
    """Getting the name does not."""
    assert "hypothesis" not in modules_after("from streamkit.testing import assert_transform_contract")


def test_the_pytest_plugin_loads_nothing_of_streamkit():
    """Whoever has streamkit installed and does not use the fixtures does not wait for it."""
    (point,) = [each for each in importlib.metadata.entry_points(group="pytest11") if each.name == "streamkit"]
    loaded = modules_after(f"import pytest, {point.value}")
    assert point.value in loaded
    assert not any(name.partition(".")[0] == "streamkit" for name in loaded)
