"""NDJSON is one frame per line."""

from streamkit.formats._framing import JsonLines


def test_each_line_with_something_in_it_is_a_frame():
    """Empty lines are passed over; an unfinished line waits for its end."""
    framing = JsonLines(100)
    assert framing.feed(b'{"a":1}\n\n{"b"') == [(0, b'{"a":1}', False)]
    assert framing.feed(b":2}\r\n") == [(9, b'{"b":2}', False)]


def test_last_line_needs_no_end():
    """What a clean end leaves without a line end is one more frame."""
    framing = JsonLines(100)
    assert framing.feed(b"1\n2") == [(0, b"1", False)]
    assert framing.flush() == [(2, b"2", False)]
    assert framing.flush() == []


def test_line_over_the_limit_stops():
    """A line over the bound sets `exceeded`; the lines before it stand."""
    framing = JsonLines(3)
    assert framing.feed(b"1\n12345") == [(0, b"1", False)]
    assert framing.exceeded
