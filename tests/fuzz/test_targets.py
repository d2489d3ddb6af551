"""The targets hold for the corpus, and for whatever hypothesis makes of it; `make fuzz` looks further."""

import runpy
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

HERE = Path(__file__).parent
TARGETS = runpy.run_path(str(HERE / "targets.py"))["TARGETS"]
TRANSCRIPTS = sorted((HERE.parent / "conformance" / "transcripts").glob("*.*s*"))
CORPUS = [(name, path) for name in TARGETS for path in [*sorted((HERE / "corpus" / name).glob("*")), *TRANSCRIPTS]]


@pytest.mark.parametrize(("name", "path"), CORPUS, ids=lambda each: getattr(each, "name", each))
def test_a_target_holds_for_the_corpus(name, path):
    """Each file, cut as its own first bytes say and in other ways."""
    data = path.read_bytes()
    for sizes in (b"", bytes(8), b"\x1f" * 8, b"\x00\x05\x02\x11\x1e\x07\x03\x09"):
        TARGETS[name](sizes + data)


@pytest.mark.parametrize("name", [name for name in TARGETS if name != "transforms"])
@given(sizes=st.binary(min_size=8, max_size=8), body=st.binary(max_size=200))
def test_a_target_holds_for_any_bytes(name, sizes, body):
    """The transforms have tests of this kind of their own."""
    TARGETS[name](sizes + body)


def test_a_target_can_fail():
    """An assertion in a target is an assertion."""
    splitter = runpy.run_path(str(HERE / "targets.py"))
    splitter["lines"].__globals__["LIMIT"] = -1000
    with pytest.raises(AssertionError):
        splitter["lines"](bytes(8) + b"data")
