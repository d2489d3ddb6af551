"""The commands as a whole."""

import importlib.metadata
import subprocess
import sys


def test_the_help_names_the_commands(invoke):
    """Somebody who types the name alone learns what there is."""
    result = invoke("--help")

    assert result.exit_code == 0
    assert "run" in result.stdout
    assert "demo" in result.stdout


def test_every_command_has_a_place_in_the_help(invoke):
    """A new one would be in a panel of the rest."""
    shown = invoke("--help").stdout
    assert "Ask a model" in shown
    assert "─ Commands ─" not in shown


def test_the_version_is_that_of_the_distribution(invoke):
    """The version comes from the installed metadata."""
    assert importlib.metadata.version("streamkit-hf") in invoke("--version").stdout


def test_commands_import_nothing_heavy_before_they_run():
    """Help stays fast: clients, codecs and the emulator are imported by the commands that use them."""
    heavy = ("aiohttp", "huggingface_hub", "urllib3", "rich.live", "streamkit.testing", "streamkit.sources.endpoint")
    code = f"import sys, streamkit.cli.app; print([name for name in {heavy!r} if name in sys.modules])"

    found = subprocess.run(  # noqa: S603 - this interpreter and our own code
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert found.stdout == "[]\n"
