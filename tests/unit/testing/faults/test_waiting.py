"""Answers that take their time."""

import re
import socket
import time

import pytest

from streamkit.testing import FAULTS, EmulatedEndpoint, NoLeaks, faults
from unit.testing.faults.wire import PATIENCE, SCRIPT, asked, texts, whole


class TestWaiting:
    """Answers that take their time."""

    def test_nothing_comes_at_all(self):
        """Not even headers."""
        with asked(faults.silent(headers=False), wait=0.1) as wire:
            assert wire.read() == (b"", "open")

    def test_headers_come_and_no_token(self):
        """The connection stays open."""
        with asked(faults.silent(), wait=0.1) as wire:
            data, end = wire.read()
        assert data.endswith(b"\r\n\r\n")
        assert end == "open"

    def test_tokens_come_and_then_no_more(self):
        """The connection stays open."""
        with asked(faults.stall(2), wait=0.1) as wire:
            data, end = wire.read()
        assert b'" two"' in data
        assert b'" three"' not in data
        assert end == "open"

    def test_comments_come_and_no_token(self):
        """For as long as somebody listens."""
        with asked(faults.pings(1, 0.001)) as wire:
            data = b""
            while data.count(b"3\r\n:\n\n\r\n") < 20:
                data += wire.socket.recv(65536)
        assert b'"one"' in data
        assert b'" two"' not in data

    def test_the_last_token_but_one_comes_for_ever(self):
        """The answer does not finish."""
        with asked(faults.endless()) as wire:
            data = b""
            while data.count(b'" three"') < 100:
                data += wire.socket.recv(65536)
        assert b"finish_reason" not in data
        assert (data.count(b'"one"'), data.count(b"HTTP/1.1")) == (1, 1)

    def test_an_answer_of_one_token_is_endless_in_comments(self):
        """There is nothing to repeat."""
        with asked(faults.endless(), script=["all"]) as wire:
            data = b""
            while data.count(b":\n\n") < 2:
                data += wire.socket.recv(65536)
        assert b'"all"' not in data

    def test_bytes_drip(self):
        """Each comes alone, in time."""
        started = time.monotonic()
        with asked(faults.drip(0.001, 10), script=["a"]) as wire:
            data, _ = wire.read()
        sizes = [int(size, 16) for size in re.findall(rb"\r\n([0-9a-f]+)\r\n", data)]
        assert set(sizes[:-2]) == {10}
        assert time.monotonic() - started >= 0.001 * (len(sizes) - 2)

    def test_headers_come_late(self):
        """And then everything."""
        started = time.monotonic()
        _, body, _, _ = whole(faults.slow_headers(0.05))
        assert time.monotonic() - started >= 0.05
        assert len(texts(body)) == 4

    @pytest.mark.parametrize("name", ["silent", "stall", "pings", "endless", "drip"])
    def test_a_client_that_leaves_ends_it(self, name):
        """No task of the server goes on, and its record tells."""
        with EmulatedEndpoint(SCRIPT, faults=[FAULTS[name]()]) as server, NoLeaks():
            port = int(server.url.rpartition(":")[2])
            with socket.create_connection(("127.0.0.1", port)) as connection:
                head = b"POST /generate_stream HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                connection.sendall(head + b'Content-Length: 15\r\n\r\n{"inputs":"Hi"}')
                connection.recv(10)
            request = server.wait_for_request()
            assert request.done.wait(PATIENCE)
            assert request.client_left.is_set()
            assert not request.answer_complete
