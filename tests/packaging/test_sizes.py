"""Files stay small enough to be read at a sitting, as CONTRIBUTING says."""

from pathlib import Path
from statistics import median

ROOT = Path(__file__).parents[2]
FOLDERS = ("src", "plugins", "tests", "benchmarks", "chaos")


def test_no_file_is_long_and_most_are_short():
    """At most 350 lines, and mostly a third of that."""
    lengths = {
        path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8").count("\n")
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*.py")
    }
    assert {path for path, lines in lengths.items() if lines > 350} == set()
    assert median(lengths.values()) <= 120
