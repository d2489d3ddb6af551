"""Node's clients, installed once, and one of them asking."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import attrs
import pytest

from streamkit.testing import EmulatedEndpoint, ScriptedToken

NODE = Path(__file__).parent / "node"
PATIENCE = 20  # seconds: a process of Node's starts slowly on a busy machine


@pytest.fixture(scope="session")
def node():
    """The program; the packages of package.json are beside it. Skipped where there is no Node, or no registry."""
    program, npm = shutil.which("node"), shutil.which("npm")
    if program is None or npm is None:
        pytest.skip("the clients in JavaScript need node and npm")
    wanted, installed = NODE / "package.json", NODE / "node_modules" / ".installed.json"
    if not installed.exists() or installed.read_text() != wanted.read_text():
        flags = ["--no-audit", "--no-fund", "--no-package-lock", "--no-progress", "--loglevel=error"]
        try:
            subprocess.run([npm, "install", *flags], cwd=NODE, capture_output=True, text=True, timeout=50, check=True)  # noqa: S603 - our own words
        except subprocess.SubprocessError as error:
            said = getattr(error, "stderr", None) or error
            pytest.skip(f"npm install failed, so the clients in JavaScript are not there: {str(said).strip()[-300:]}")
        installed.write_text(wanted.read_text())
    return program


@attrs.define
class Asking:
    """A client that asks, in a process of its own."""

    process: subprocess.Popen

    def result(self):
        """Return what it got, once it has printed it."""
        line = self.process.stdout.readline()
        assert line, self.process.stderr.read()
        return json.loads(line)

    def abort(self):
        """Tell it to abort."""
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def leave(self):
        """Let it end."""
        self.process.stdin.close()
        with self.process:
            self.process.wait(PATIENCE)


@pytest.fixture
def begin(node):
    """Return the function that makes a client ask."""
    asking = []

    def beginning(client, url, **options):
        command = [node, "ask.mjs", client, url, json.dumps(options)]
        pipe = subprocess.PIPE
        process = subprocess.Popen(command, cwd=NODE, stdin=pipe, stdout=pipe, stderr=pipe, text=True)  # noqa: S603 - as above
        asking.append(Asking(process))
        return asking[-1]

    yield beginning
    for each in asking:
        each.leave()


@pytest.fixture
def ask(begin):
    """Return the function that makes a client ask, and returns what it got."""
    return lambda *arguments, **options: begin(*arguments, **options).result()


@pytest.fixture
def model():
    """A model that says three tokens and an end mark."""
    with EmulatedEndpoint(["Take", " tram", " 28.", ScriptedToken("</s>", special=True)]) as endpoint:
        yield endpoint


@pytest.fixture
def gated():
    """A model that says a token when it is told to."""
    with EmulatedEndpoint(["word "] * 100, gate=True) as endpoint:
        yield endpoint
