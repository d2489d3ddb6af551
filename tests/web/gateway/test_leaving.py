"""Clients that leave: the model stops at once, and the place is free."""

from __future__ import annotations

import math
import socket
import struct
import time

import pytest

from streamkit.web.gateway import Limits

ROUTES = {
    "/generate_stream": {"inputs": "x"},
    "/generate": {"inputs": "x"},
    "/v1/chat/completions": {"messages": [{"role": "user", "content": "x"}], "stream": True},
    "/v1/completions": {"prompt": "x", "stream": False},
    "/api/chat": {"messages": [{"role": "user", "parts": [{"type": "text", "text": "x"}]}]},
    "/api/text/completion": {"prompt": "x"},
}


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize("how", ["close", "reset"])
def test_client_that_leaves_before_the_first_token(serve, gated, path, how):
    """The model is told within a second that nobody waits any more, whether the answer would stream or not."""
    with serve(gated.url) as served:
        with served.connect() as connection:
            connection.ask("POST", path, ROUTES[path])
            seen = gated.wait_for_request()
            if how == "reset":
                connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        assert seen.client_left.wait(1)
        served.wait_until_idle()
        assert served.metric(f'streamkit_answers_total{{pipeline="travel",route="{path}",outcome="aborted"}}') == 1
    assert seen.tokens_sent == 0


@pytest.mark.parametrize("path", [path for path in ROUTES if path not in {"/generate", "/v1/completions"}])
def test_client_that_leaves_in_the_middle(serve, gated, path):
    """The model stops within a second, and the place is free for another."""
    with serve(gated.url, limits=Limits(streams=1)) as served:
        with served.connect() as connection:
            connection.ask("POST", path, ROUTES[path])
            seen = gated.wait_for_request()
            gated.release(5)
            connection.wait_for(b"word")
        assert seen.client_left.wait(1)
        served.wait_until_idle()
        with served.connect() as connection:
            connection.ask("POST", path, ROUTES[path])
            gated.wait_for_request()


def test_client_that_leaves_within_its_body(serve, gated):
    """A client that leaves before it has asked leaves nothing behind."""
    with serve(gated.url, limits=Limits(streams=1)) as served:
        for _ in range(3):
            with served.connect() as connection:
                connection.ask("POST", "/generate_stream", b'{"inputs"', {"content-length": "99"})
        deadline = time.monotonic() + 5
        while True:
            with served.connect() as connection:
                connection.ask("POST", "/generate_stream", {"inputs": "x"})
                connection.socket.settimeout(0.2)
                try:
                    refused = b" 429 " in connection.wait_for(b"\r\n")
                except TimeoutError:
                    break  # it waits for its first token
            assert refused
            assert time.monotonic() < deadline
    assert len(gated.requests) == 1


def test_client_that_does_not_read_slows_its_model(serve):
    """A client that never reads costs little memory: its model waits, and goes on when it reads."""
    from streamkit.testing import EmulatedEndpoint

    with EmulatedEndpoint(["x" * 2000] * 20_000) as endpoint, serve(endpoint.url) as served:
        with served.connect() as connection:
            connection.ask("POST", "/generate_stream", {"inputs": "x", "parameters": {"max_new_tokens": 4000}})
            seen = endpoint.wait_for_request()
            before = -1
            while seen.tokens_sent != before:
                before = seen.tokens_sent
                time.sleep(0.3)  # nothing tells that nothing happens
            assert not seen.answer_complete
        assert seen.client_left.wait(1)


def test_many_that_leave_leave_nothing(serve, gated):
    """Of 50 clients that leave at once, none leaves a run behind."""
    with serve(gated.url) as served:
        connections = [served.connect() for _ in range(50)]
        for connection in connections:
            connection.ask("POST", "/v1/chat/completions", ROUTES["/v1/chat/completions"])
        seen = [gated.wait_for_request() for _ in connections]
        for connection in connections:
            connection.socket.close()
        assert all(each.client_left.wait(2) for each in seen)
        served.wait_until_idle()
    gated.release(math.inf)
