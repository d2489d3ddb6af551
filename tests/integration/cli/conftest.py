"""The command as a process of its own, in a pipe or on a terminal.

Everything is the same where an installed plugin awaits, and the command therefore runs the asynchronous driver.
"""

import os
import pty
import subprocess
import sys

import pytest

STREAMKIT = (sys.executable, "-m", "streamkit")
TAKE_TERMINAL = """\
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)  # so that Ctrl-C reaches the process
os.execv(sys.argv[1], sys.argv[1:])
"""
OWL = """\
import asyncio, os, sys

async def on_text(text):
    await asyncio.sleep(0)

async def on_final(result):
    await asyncio.sleep(0)
    if "OWL" in os.environ:
        print("the owl saw", repr(result.text), file=sys.stderr)
"""


@pytest.fixture(params=["sync", "async"])
def environment(request, tmp_path):
    """Return an environment without a saved login and without the settings of whoever runs the tests."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "STREAMKIT_"))}
    if request.param == "async":
        kept["PYTHONPATH"] = str(install(tmp_path / "plugins"))
    return kept | {"HF_HOME": str(tmp_path / "home"), "COLUMNS": "200", "TERM": "xterm", "PYTHONWARNINGS": "error"}


def install(folder):
    """Install a plugin that awaits, and return the directory to import it from."""
    info = folder / "streamkit_owl-1.0.dist-info"
    info.mkdir(parents=True)
    (folder / "streamkit_owl.py").write_text(OWL)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: streamkit-owl\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[streamkit]\nowl = streamkit_owl\n")
    return folder


@pytest.fixture
def streamkit(environment, tmp_path):
    """Return a function that runs the command to its end, in a directory of the test's own."""

    def run(*arguments, stdin=b"", **variables):
        return subprocess.run(  # noqa: S603 - this interpreter and our own code
            [*STREAMKIT, *arguments],
            input=stdin,
            capture_output=True,
            env=environment | variables,
            cwd=tmp_path,
            timeout=30,
            check=False,
        )

    return run


@pytest.fixture
def terminal(environment):
    """Return a function that starts the command on a terminal of its own; what it prints is read from `.screen()`."""
    started = []

    class Terminal:
        def __init__(self, *arguments, **variables):
            self._master, slave = pty.openpty()
            self.process = subprocess.Popen(  # noqa: S603 - this interpreter and our own code
                [sys.executable, "-c", TAKE_TERMINAL, *STREAMKIT, *arguments],
                stdin=slave,
                stdout=slave,
                stderr=slave,
                env=environment | variables,
                start_new_session=True,
            )
            os.close(slave)
            self._seen = b""

        def screen(self, until):
            """Read until some text is there, or with `None` until the process has ended."""
            while until is None or until not in self._seen:
                try:
                    self._seen += os.read(self._master, 4096)
                except OSError:  # the other side is closed
                    assert until is None, self._seen
                    break
            return self._seen.replace(b"\r\n", b"\n").decode()

        def type(self, keys):
            os.write(self._master, keys)

        def close(self):
            self.process.kill()
            self.process.wait()
            os.close(self._master)

    def start(*arguments, **variables):
        started.append(Terminal(*arguments, **variables))
        return started[-1]

    yield start
    for each in started:
        each.close()
