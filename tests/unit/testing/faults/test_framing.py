"""Complete answers, written down in unusual ways."""

import json
import re

import pytest

from streamkit.testing import FAULTS, faults
from streamkit.testing.faults import framing
from unit.testing.faults.wire import asked, texts, whole


class TestFraming:
    """Complete answers, written down in unusual ways."""

    def test_a_byte_order_mark_comes_first_and_once(self):
        """Before the first event."""
        _, body, _, _ = whole(faults.bom())
        assert body.startswith(b"\xef\xbb\xbfdata: {")
        assert body.count(b"\xef\xbb\xbf") == 1

    def test_lines_end_in_cr(self):
        """No LF is left."""
        _, body, _, _ = whole(faults.cr())
        assert b"\n" not in body
        assert body.count(b"\r\r") == 4

    def test_lines_end_in_cr_and_lf(self):
        """Everywhere."""
        _, body, _, _ = whole(faults.crlf())
        assert body.count(b"\r\n\r\n") == 4
        assert b"\n" not in body.replace(b"\r\n", b"")

    def test_no_space_follows_the_colon(self):
        """In any event."""
        _, body, _, _ = whole(faults.nospace())
        assert body.count(b"data:{") == 4
        assert b"data: " not in body

    def test_data_comes_in_two_lines(self):
        """Joined by a line end they are the same JSON."""
        _, body, _, _ = whole(faults.multiline())
        events = [event.replace(b"data: ", b"") for event in body.strip().split(b"\n\n")]
        assert [json.loads(event)["token"]["text"] for event in events] == ["one", " two", " three", "</s>"]
        assert all(event.count(b"\n") == 1 for event in events)

    def test_a_comment_comes_before_each_event(self):
        """As keep-alives do."""
        _, body, _, _ = whole(faults.comments())
        assert body.split(b"\n\n")[::2] == [b":"] * 4 + [b""]

    @pytest.mark.parametrize(("name", "text"), [("nul", framing.ESCAPES), ("u2028", framing.SEPARATORS)])
    def test_the_model_says_unusual_characters(self, name, text):
        """After its first token, as a token."""
        _, body, _, _ = whole(FAULTS[name]())
        assert texts(body) == ["one", text, " two", " three", "</s>"]

    def test_separators_are_not_escaped(self):
        """They are on the wire as they are."""
        _, body, _, _ = whole(faults.u2028())
        assert framing.SEPARATORS.encode() in body

    def test_characters_come_in_pieces(self):
        """No piece has a whole one."""
        with asked(faults.split_utf8()) as wire:
            data, _ = wire.read()
        assert framing.OWL.encode() not in data
        assert re.search(rb"\r\n\x9f\r\n", data)
        _, body, _, _ = whole(faults.split_utf8())
        assert texts(body)[1] == framing.OWL

    def test_bytes_that_are_not_utf_8_are_in_a_word(self):
        """Two of them."""
        _, body, _, _ = whole(faults.bad_utf8())
        assert b'"text":" ca\xff\xfefe"' in body

    def test_a_whole_document_stays_as_it_is(self):
        """These are faults of streams."""
        _, body, _, _ = whole([faults.cr(), faults.bom(), faults.nospace()], path="/generate")
        assert json.loads(body)["generated_text"] == "one two three"
