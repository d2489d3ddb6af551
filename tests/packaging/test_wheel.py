"""What the wheel holds, and that its plugin template works."""

import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_it_has_the_sources_the_fixtures_and_the_template(wheel):
    """Each file of them, and nothing of the tests or caches."""
    names = set(zipfile.ZipFile(wheel).namelist())
    template = [
        path.relative_to(ROOT / "plugins" / "_template") for path in (ROOT / "plugins" / "_template").rglob("*.*")
    ]
    shipped = {f"streamkit/_template/{path.as_posix()}" for path in template if not _cached(path)}
    assert shipped <= names
    assert {"streamkit/py.typed", "streamkit/cli/new_plugin.py", "_streamkit_pytest.py"} <= names
    assert {name.partition("/")[0].partition("-")[0] for name in names} == {
        "streamkit",
        "streamkit_hf",
        "_streamkit_pytest.py",
    }
    assert not [name for name in names if _cached(Path(name))]


def _cached(path):
    return any((part.startswith(".") and part != ".gitignore") or part == "__pycache__" for part in path.parts)


def test_a_plugin_made_from_it_installs_and_passes_its_own_tests(environment, tmp_path):
    """As it is generated, under a name of two words, and clean for a strict type checker."""
    environment.run("python -m pip install --quiet 'streamkit-hf[testing]'", cwd=tmp_path)
    environment.run("streamkit new-plugin polite-words", cwd=tmp_path)
    environment.run("python -m pip install --quiet './streamkit-polite-words[dev]'", cwd=tmp_path)
    plugin = tmp_path / "streamkit-polite-words"
    assert "6 passed" in environment.run("python -m pytest", cwd=plugin)
    assert "no issues found" in environment.run("python -m mypy", cwd=plugin)
    assert "All checks passed" in environment.run(
        f"'{sys.executable}' -m ruff check", cwd=plugin
    )  # a program, not a link
    assert "polite_words" in environment.run("streamkit plugins --json", cwd=tmp_path)
