"""Events that every reader of server-sent events reads alike."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamkit.formats._sse import EventStream
from streamkit.formats._sse_writing import event


def test_fields_come_before_the_data():
    """An event has its id, its name and its data."""
    assert event("a", name="token", id="7") == b"event: token\nid: 7\ndata: a\n\n"


@pytest.mark.parametrize("text", ["a\nb", "a\r\nb", "a\rb"])
def test_data_is_split_at_line_ends(text):
    """Whichever line end stands in the data, the reader gets LF."""
    assert event(text) == b"data: a\ndata: b\n\n"


@pytest.mark.parametrize("separator", "\u2028\u2029\x85\x0b\x0c\x1c\x1d\x1e")
def test_data_is_split_at_nothing_else(separator):
    """Other characters that some functions take for line ends are data."""
    assert event(f"a{separator}b") == f"data: a{separator}b\n\n".encode()


@pytest.mark.parametrize("field", ["id", "name"])
@pytest.mark.parametrize("bad", ["a\nb", "a\rb", "a\0b", "\n"])
def test_a_field_cannot_become_another(field, bad):
    """A name or id with a line end is refused, and so is one with a NUL, which readers ignore."""
    with pytest.raises(ValueError, match="no line ends and no NUL"):
        event("", **{field: bad})


@given(st.lists(st.text(st.characters(exclude_characters="\0", codec="utf-8"), min_size=1), min_size=1))
def test_our_own_reader_reads_what_was_written(texts):
    """Whatever the data are, they come back, with LF for every line end."""
    stream = EventStream(1 << 20)
    frames = stream.feed(b"".join(map(event, texts)))
    normal = [text.replace("\r\n", "\n").replace("\r", "\n") for text in texts]
    assert [payload.decode() for _, payload, _ in frames] == [text for text in normal if text]
