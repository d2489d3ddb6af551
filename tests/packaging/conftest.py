"""The wheel that users get, in a virtual environment of its own."""

import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OURS = ("streamkit", "_streamkit", "_editable_impl_streamkit")


@pytest.fixture(scope="session")
def wheel(tmp_path_factory):
    """Build the wheel from the tree."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)  # noqa: S603 - our own code
    (built,) = folder.glob("*.whl")
    return built


class Environment:
    """A virtual environment with everything that is installed here, except streamkit and its plugins.

    The third-party distributions are links, so nothing is downloaded; streamkit can only come from the wheel.
    """

    def __init__(self, folder, wheels):
        venv.create(folder, with_pip=False)
        self.folder = folder
        self.bin = folder / ("Scripts" if os.name == "nt" else "bin")
        self.site = Path(sysconfig.get_path("purelib", vars={"base": str(folder)}))
        for installed in Path(sysconfig.get_path("purelib")).iterdir():
            if not installed.name.lower().startswith(OURS) and installed.suffix != ".pth":
                (self.site / installed.name).symlink_to(installed)
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "STREAMKIT", "PIP"))
        }
        self.environ = kept | {
            "PATH": f"{self.bin}{os.pathsep}{os.environ['PATH']}",
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "PIP_FIND_LINKS": str(wheels),
            "PIP_NO_BUILD_ISOLATION": "0",  # which is how pip spells that there is none
            "PIP_NO_INDEX": "1",
            "COLUMNS": "100",
            "NO_COLOR": "1",
        }

    def run(self, command, *, cwd):
        """Run a command of a shell, and return what it printed."""
        done = subprocess.run(  # noqa: S602 - a shell is what readers have
            command,
            shell=True,
            cwd=cwd,
            env=self.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, f"$ {command}\n{done.stdout}"
        return done.stdout


@pytest.fixture
def environment(tmp_path, wheel):
    """Make an environment that can install the wheel and nothing else."""
    return Environment(tmp_path / "venv", wheel.parent)
