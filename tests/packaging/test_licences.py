"""What may be done with a distribution is in the distribution."""

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LICENCE = (ROOT / "LICENSE").read_bytes()


@pytest.mark.parametrize(
    "project",
    [ROOT, *(path.parent for path in sorted(ROOT.glob("plugins/streamkit-*/pyproject.toml")))],
    ids=lambda project: "streamkit" if project == ROOT else project.name,
)
def test_each_distribution_carries_its_licence(project, tmp_path):
    """The wheel and the source archive, of streamkit and of each plugin; the metadata names it."""
    command = [sys.executable, "-m", "hatchling", "build", "-d", str(tmp_path)]
    subprocess.run(command, cwd=project, check=True, capture_output=True)  # noqa: S603 - our own code
    (wheel,), (archive,) = tmp_path.glob("*.whl"), tmp_path.glob("*.tar.gz")
    with zipfile.ZipFile(wheel) as files:
        info = wheel.name.rpartition("-py3")[0] + ".dist-info"
        assert files.read(f"{info}/licenses/LICENSE") == LICENCE
        assert b"License-Expression: Apache-2.0\nLicense-File: LICENSE\n" in files.read(f"{info}/METADATA")
    with tarfile.open(archive) as files:
        assert files.extractfile(f"{archive.name.removesuffix('.tar.gz')}/LICENSE").read() == LICENCE


def test_a_plugin_that_is_made_has_the_licence_that_its_author_chooses():
    """The template has none, and pretends none."""
    template = ROOT / "plugins" / "_template"
    assert not (template / "LICENSE").exists()
    assert "license" not in (template / "pyproject.toml").read_text(encoding="utf-8").lower()
