"""Answers that are none, and those that are too large."""

import json
import time
from email.utils import parsedate_to_datetime

import pytest

from streamkit.testing import FAULTS, faults
from streamkit.testing.emulator.acts import Filler
from streamkit.testing.faults import refusals
from unit.testing.faults.wire import asked, header, status, whole


class TestRefusals:
    """Statuses, pages and redirects."""

    @pytest.mark.parametrize("code", [401, 403, 404, 408, 422, 429, 500, 502, 503, 504])
    def test_a_status_comes_with_an_error_in_json(self, code):
        """As engines and gateways write it."""
        head, body, _, _ = whole(FAULTS[f"s{code}"]())
        assert status(head) == code
        assert json.loads(body)["error"]

    @pytest.mark.parametrize("code", [401, 403])
    def test_the_token_is_echoed(self, code):
        """A client must not repeat it."""
        _, body, _, _ = whole(FAULTS[f"s{code}"]())
        assert b"hf_canary" in body

    def test_too_many_requests_say_for_how_long(self):
        """In seconds, or as a date that is not before them."""
        assert header(whole(faults.s429(2.5))[0], "retry-after") == "2.5"
        asked_at = time.time()
        date = parsedate_to_datetime(header(whole(faults.s429date(2))[0], "retry-after"))
        assert 2 <= date.timestamp() - asked_at < 4

    def test_a_model_that_loads_says_for_how_long(self):
        """Hugging Face's own field."""
        assert json.loads(whole(faults.s503(7))[1])["estimated_time"] == 7

    def test_a_page_and_nothing_are_answers_too(self):
        """Both with 200."""
        head, body, _, _ = whole(faults.html200())
        assert (status(head), body.decode()) == (200, refusals.PAGE)
        assert header(head, "content-type").startswith("text/html")
        head, body, _, ended = whole(faults.empty200())
        assert (status(head), body, ended) == (200, b"", True)
        assert header(head, "content-type") == "text/event-stream"

    @pytest.mark.parametrize("name", ["redir_host", "redir_port", "redir_302", "redir_loop"])
    def test_a_redirect_names_another_place(self, name):
        """Or the same one."""
        with asked(FAULTS[name]()) as wire:
            port = wire.socket.getpeername()[1]
            data, _ = wire.read()
        location = {
            "redir_host": f"http://localhost:{port}/generate_stream",
            "redir_port": "http://127.0.0.1:1/generate_stream",
            "redir_302": "/generate_stream",
            "redir_loop": "/generate_stream",
        }[name]
        assert status(data.decode()) == (302 if name == "redir_302" else 307)
        assert header(data.decode(), "location") == location


class TestSize:
    """Much of nothing."""

    def test_a_line_is_as_long_as_told(self):
        """And the answer goes on."""
        _, body, _, _ = whole(faults.bigline(1_000_000))
        line = max(body.split(b"\n"), key=len)
        assert (len(line), line[:8]) == (1_000_000, b"data: xx")
        assert b'" three"' in body

    def test_an_error_is_as_long_as_told(self):
        """With its status."""
        head, body, _, _ = whole(faults.bigerr(1_000_000))
        assert (status(head), len(body)) == (500, 1_000_000)

    def test_the_default_is_64_mebibytes_and_costs_nothing_until_it_is_sent(self):
        """A fault is a small value."""
        assert faults.bigerr().acts[1] == Filler(64 * 2**20)
