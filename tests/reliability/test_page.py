"""The page of promises names tests that there are."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "explanation" / "reliability.md").read_text(encoding="utf-8")
PROMISES = re.findall(r"^\| (.+) \| `([\w/.]+)::(\w+)` \|$", PAGE, re.MULTILINE)


@pytest.mark.parametrize(("promise", "path", "name"), PROMISES, ids=[name for _, _, name in PROMISES])
def test_each_promise_is_kept_by_a_test_that_exists(promise, path, name):
    """In the file that is named."""
    assert promise.endswith(".")
    assert re.search(rf"^ *(async )?def {name}\(", (ROOT / path).read_text(encoding="utf-8"), re.MULTILINE)


def test_each_row_is_a_promise_with_its_test():
    """No row is left out by its form."""
    rows = [
        line for line in PAGE.splitlines() if line.startswith("| ") and "---" not in line and "| Test |" not in line
    ]
    assert len(PROMISES) == len(rows) > 40


def test_each_test_of_reliability_keeps_a_promise_that_is_told():
    """Or shares the promise of another, of which there are few."""
    shared = {
        "test_an_asynchronous_reader_that_does_not_read_holds_the_server_back",
        *(name for name in re.findall(r"def (test_\w+)\(", Path(__file__).read_text(encoding="utf-8"))),
    }
    kept = {name for _, _, name in PROMISES} | shared
    for file in Path(__file__).parent.glob("test_*.py"):
        assert set(re.findall(r"def (test_\w+)\(", file.read_text(encoding="utf-8"))) <= kept, file.name
