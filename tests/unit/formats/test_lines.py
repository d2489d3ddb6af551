"""Lines end at CR, LF and CRLF, at nothing else, and wherever the bytes were cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamkit.formats._lines import BOM, LineSplitter


def split(*chunks, limit=1000):
    """Split chunks and return all lines with their offsets, the last unfinished one too."""
    splitter = LineSplitter(limit)
    lines = [line for chunk in chunks for line in splitter.feed(chunk)]
    return lines + splitter.flush()


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n"])
def test_each_terminator_ends_a_line(end):
    """LF, CR and CRLF each end one line."""
    assert split(b"a" + end + b"b" + end) == [(0, b"a"), (1 + len(end), b"b")]


def test_crlf_cut_in_two_ends_one_line():
    """An LF that begins a chunk belongs to the CR that ended the last one."""
    assert split(b"a\r", b"\nb\n") == [(0, b"a"), (3, b"b")]


def test_cr_ends_a_line_before_the_next_byte_is_known():
    """A line that ends with CR is released at once."""
    assert LineSplitter(10).feed(b"abc\r") == [(0, b"abc")]


def test_empty_chunk_between_cr_and_lf_changes_nothing():
    """An empty chunk does not end the wait for the LF of a CRLF."""
    assert split(b"a\r", b"", b"\nb\n") == [(0, b"a"), (3, b"b")]


@pytest.mark.parametrize("text", ["a\u2028b", "a\u2029b", "a\u0085b", "a\x1cb", "a\x0bb", "a\x0cb"])
def test_other_separators_are_ordinary_characters(text):
    """Unicode's and ASCII's other line separators stay inside a line."""
    assert split(text.encode() + b"\n") == [(0, text.encode())]


@pytest.mark.parametrize("chunks", [[BOM + b"a\n"], [BOM[:1], BOM[1:2], BOM[2:], b"a\n"], [BOM[:2], BOM[2:] + b"a\n"]])
def test_byte_order_mark_is_dropped_at_the_start(chunks):
    """A byte order mark at the very start is no part of the first line, in however many chunks it comes."""
    assert split(*chunks) == [(3, b"a")]


def test_byte_order_mark_later_is_text():
    """A byte order mark anywhere else is kept."""
    assert split(b"a\n" + BOM + b"b\n" + BOM + BOM) == [(0, b"a"), (2, BOM + b"b"), (7, BOM + BOM)]
    assert split(BOM + BOM + b"a\n") == [(3, BOM + b"a")]


def test_half_a_byte_order_mark_is_text():
    """Bytes that only began like a byte order mark are kept."""
    assert split(b"\xef", b"\xbb", b"a\n") == [(0, b"\xef\xbba")]
    assert split(b"\xef\xbb") == [(0, b"\xef\xbb")]


def test_line_at_the_limit_passes_and_one_over_it_stops():
    """The bound counts the bytes of the line without its terminator."""
    splitter = LineSplitter(3)
    assert splitter.feed(b"abc\r\nabcd\nx\n") == [(0, b"abc")]
    assert splitter.exceeded


def test_unfinished_line_is_never_held_beyond_the_limit():
    """An endless line stops the splitter as soon as more than the limit is held."""
    splitter = LineSplitter(3)
    assert [(splitter.feed(b"x"), splitter.exceeded, splitter.pending) for _ in range(4)] == [
        ([], False, 1),
        ([], False, 2),
        ([], False, 3),
        ([], True, 4),
    ]


@given(st.lists(st.sampled_from([b"a", b"\r", b"\n", b"\r\n", BOM, b"\xef", b"bc"])).map(b"".join), st.data())
def test_cuts_change_nothing(body, data):
    """Any two cuts of any body give the lines, offsets and bound of the whole body."""
    first, second = sorted(data.draw(st.tuples(*[st.integers(0, len(body))] * 2)))
    assert split(body[:first], body[first:second], body[second:], limit=4) == split(body, limit=4)
