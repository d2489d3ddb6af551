"""Almost-JSON is read as what was meant, and never more than that."""

import pytest

from streamkit.formats._json import excerpt, read_any, repair


@pytest.mark.parametrize(
    ("payload", "value"),
    [
        (b'{"a":"\xff"}', {"a": "\ufffd"}),
        (b'{"a":"\x1c\x00\t"}', {"a": "\x1c\x00\t"}),
        (b'{"a":"x\\ud83dy"}', {"a": "x\ufffdy"}),
        (b'{"a":"\\ud83e\\udd89"}', {"a": "\N{OWL}"}),
        (b"[NaN,-Infinity,Infinity,1.5]", [None, None, None, 1.5]),
        ("\u2028".encode().join([b'"', b'"']), "\u2028"),
    ],
)
def test_repaired_value(payload, value):
    """Stray bytes, raw controls, lone surrogates and Python's numbers each have their reading."""
    assert read_any(payload) == value
    assert read_any(repair(payload)) == value


@pytest.mark.parametrize("payload", [b"", b"{", b'{"a":}', b"data", b"{} {}", b"'a'"])
def test_what_is_not_json_is_refused(payload):
    """Nothing is guessed about bytes that are not JSON at all."""
    with pytest.raises(ValueError):
        read_any(payload)


def test_nesting_without_end_is_refused():
    """A value nested beyond the interpreter's limit raises the error that decoders expect."""
    with pytest.raises(RecursionError):
        read_any(b"[" * 100_000)


def test_excerpt_is_short_and_on_one_line():
    """An excerpt is escaped, at most 80 characters long, and shows where it was cut."""
    assert excerpt(b"a\nb\x1b\xff") == "'a\\nb\\x1b\ufffd'"
    assert len(excerpt(b"\x00" * 1000)) == 80
    assert excerpt(b"x" * 1000).endswith("...")
