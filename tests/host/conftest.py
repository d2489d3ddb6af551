"""Throwaway distributions: a module and a `.dist-info` on `sys.path`, which is all that entry points need."""

import importlib
import sys
from importlib.metadata import entry_points

import pytest

from streamkit import loading


class Installed:
    """A directory of distributions."""

    def __init__(self, folder):
        self.folder = folder

    def __call__(self, name, code, *, version="1.0", points=None, distribution=None):
        """Install a plugin `name` whose module has this code; its entry point is `module:plugin`."""
        distribution = distribution or f"streamkit-{name}"
        module = distribution.replace("-", "_")
        (self.folder / f"{module}.py").write_text(code)
        info = self.folder / f"{module}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n")
        points = points or {name: f"{module}:plugin"}
        lines = "\n".join(f"{point} = {value}" for point, value in points.items())
        (info / "entry_points.txt").write_text(f"[streamkit]\n{lines}\n")
        importlib.invalidate_caches()
        return module


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Return a function that installs a plugin until the test ends; what is really installed is not seen."""
    monkeypatch.delenv(loading.ALLOWED, raising=False)
    monkeypatch.delenv(loading.BLOCKED, raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    real = {point.name for point in entry_points(group="streamkit")}
    if real:
        monkeypatch.setenv(loading.BLOCKED, ",".join(real))
    before = set(sys.modules)
    yield Installed(tmp_path)
    for module in set(sys.modules) - before:
        if module.startswith("streamkit_"):
            del sys.modules[module]
