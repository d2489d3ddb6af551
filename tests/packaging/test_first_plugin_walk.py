"""A stranger follows docs/extend literally: from nothing to an installed, tested transform of their own."""

import re
import subprocess
import sys
from doctest import ELLIPSIS, OutputChecker
from pathlib import Path

import pytest

from streamkit.testing import EmulatedEndpoint

PAGE = Path(__file__).parents[2] / "docs" / "extend" / "first-plugin.md"
ENDPOINT = "http://127.0.0.1:8080"
MOST = 10
"""Commands that it may take."""


def steps():
    """Yield what the page tells to do, in order: a file to save, or a command and what it prints."""
    for block in re.findall(r"^```\w*\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL):
        named = re.match(r"# (\S+\.py)\n", block)
        if named:
            yield "save", named[1], block
        elif block.startswith("$ "):
            for session in f"\n{block}".split("\n$ ")[1:]:
                command, _, shown = session.partition("\n")
                yield "run", command, shown


def _shown(wanted, printed):
    """Tell whether a command printed what the page shows; the last line need not be ended."""
    return OutputChecker().check_output(wanted.strip() + "\n", printed.strip() + "\n", ELLIPSIS)


def test_it_takes_few_commands():
    """Installing, making, changing, installing, using and testing."""
    commands = [what for kind, what, _ in steps() if kind == "run"]
    assert commands[0].endswith("pip install --quiet 'streamkit-hf[testing]'")
    assert any(command.startswith("streamkit run") for command in commands)
    assert "pytest" in commands[-1]
    assert len(commands) <= MOST


def test_what_is_typed_prints_what_the_page_shows(tmp_path):
    """At the prompt of Python, where an empty line ends a class."""
    blocks = re.findall(r"^```(\w*)\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    saved, *typed = [block for language, block in blocks if language == "python"]
    (tmp_path / "shout.py").write_text(saved, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-i", "shout.py"],
        cwd=tmp_path,
        input="\n".join(typed),
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    assert "Error" not in done.stderr
    assert _shown("".join(block for language, block in blocks if language == "text"), done.stdout), done.stdout


@pytest.mark.timeout(180)
def test_each_step_does_what_the_page_shows(environment, tmp_path):
    """Each command succeeds and prints what it should; streamkit is the wheel's."""
    with EmulatedEndpoint(["It", " rains", ".", "</", "s", ">"]) as server:
        for kind, what, content in steps():
            if kind == "save":
                (tmp_path / what).write_text(content, encoding="utf-8")
                continue
            printed = environment.run(what.replace(ENDPOINT, server.url), cwd=tmp_path)
            assert _shown(content, printed), f"$ {what}\nprints:\n{printed}"
    where = environment.run("python -c 'import streamkit; print(streamkit.__file__)'", cwd=tmp_path)
    assert Path(where.strip()).is_relative_to(environment.site)
