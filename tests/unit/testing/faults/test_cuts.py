"""Answers that are cut, and errors inside them."""

import json

import pytest

from streamkit.errors import ConfigurationError
from streamkit.testing import FAULTS, faults
from unit.testing.faults.wire import status, texts, whole


class TestCuts:
    """Answers that stop too early."""

    @pytest.mark.parametrize(
        ("how", "connection", "body_ended"),
        [("clean", "fin", True), ("fin", "fin", False), ("rst", "rst", False), ("eof", "fin", True)],
    )
    def test_an_answer_is_cut_after_some_tokens(self, how, connection, body_ended):
        """Exactly those arrive, and the connection ends as it was told."""
        head, body, end, ended = whole(faults.cut_after(2, how))
        assert status(head) == 200
        assert texts(body) == ["one", " two"]
        assert (end, ended) == (connection, body_ended)
        assert ("chunked" in head) == (how != "eof")

    @pytest.mark.parametrize("name", ["cut_clean_nofinish", "cut_eof_body", "cut_fin", "cut_rst"])
    def test_by_default_all_but_the_end_arrives(self, name):
        """The whole text is there, and nothing says that it is whole."""
        _, body, end, ended = whole(FAULTS[name]())
        assert texts(body) == ["one", " two", " three"]
        assert b"finish_reason" not in body
        assert (end == "rst") == (name == "cut_rst")
        assert ended == (name in {"cut_clean_nofinish", "cut_eof_body"})

    @pytest.mark.parametrize("engine", ["vllm", "openai"])
    def test_neither_a_finish_reason_nor_an_end_mark_comes(self, engine):
        """In OpenAI's streams both are missing."""
        ask = {"model": "emulated/tiny", "messages": [{"role": "user", "content": "Hi"}], "stream": True}
        _, body, _, _ = whole(
            faults.cut_clean_nofinish(), path="/v1/chat/completions", body=ask, engine=engine, token="x"
        )
        assert b" three" in body
        assert b'"stop"' not in body
        assert b"[DONE]" not in body

    def test_an_answer_with_fewer_tokens_stays_whole(self):
        """There is nothing to cut."""
        _, body, _, ended = whole(faults.cut_after(9))
        assert texts(body) == ["one", " two", " three", "</s>"]
        assert ended

    def test_half_an_event_comes_and_the_body_ends(self):
        """It has neither its end nor its blank line."""
        _, body, _, ended = whole(faults.cut_half_event(1))
        assert texts(body.rpartition(b"\n\n")[0]) == ["one"]
        half = body.rpartition(b"\n\n")[2]
        assert half.startswith(b'data: {"index":2')
        assert not half.endswith(b"}")
        assert ended

    def test_the_end_mark_alone_is_left_out(self):
        """The finish reason is there."""
        ask = {"messages": [{"role": "user", "content": "Hi"}], "stream": True}
        _, body, _, ended = whole(faults.no_done(), path="/v1/chat/completions", body=ask)
        assert b'"finish_reason":"stop"' in body
        assert b"[DONE]" not in body
        assert ended

    def test_a_cut_of_no_known_kind_is_refused(self):
        """The message lists the kinds."""
        with pytest.raises(ConfigurationError, match="clean, fin, rst, eof"):
            faults.cut_after(1, "gently")


class TestErrors:
    """Errors inside the stream."""

    @pytest.mark.parametrize(
        ("fault", "error"),
        [
            (
                faults.error_event(2, "no memory", 503),
                {"error": {"message": "no memory", "type": "InternalServerError", "param": None, "code": 503}},
            ),
            (faults.error_event_str(2, "no memory", "overloaded"), {"error": "no memory", "error_type": "overloaded"}),
            (faults.error_named(2, "no memory"), {"message": "no memory"}),
        ],
    )
    def test_an_error_comes_after_two_tokens(self, fault, error):
        """And nothing after it."""
        _, body, _, ended = whole(fault)
        assert texts(body) == ["one", " two", error]
        assert (b"event: error\ndata: " in body) == (fault == faults.error_named(2, "no memory"))
        assert ended

    def test_a_stream_of_lines_has_it_on_a_line(self):
        """Ollama's framing."""
        ask = {"model": "emulated/tiny", "prompt": "Hi"}
        _, body, _, _ = whole(faults.error_event_str(1, "gone"), path="/api/generate", body=ask, engine="ollama")
        assert json.loads(body.splitlines()[-1]) == {"error": "gone", "error_type": "generation"}

    def test_an_event_that_is_not_json_is_passed_by(self):
        """The tokens after it come."""
        _, body, _, _ = whole(faults.bad_json(1))
        assert b'"one"' in body.partition(b"oops")[0]
        assert b'" three"' in body.partition(b"oops")[2]
