"""`HEAD`, which is `GET` without a body, where the next response comes on the same connection."""

from __future__ import annotations

import pytest

from streamkit.web.gateway import Configuration, Gateway, Settings
from streamkit.web.gateway.routes import OPEN, PAGES

KEY = {"authorization": "Bearer k-123"}
PLACES = "/api/chat/c1"
REFUSALS = [
    ("/nothing", {}, 404),
    ("/generate", {}, 405),
    ("/v1/chat/completions", {}, 405),
    (f"{PLACES}/stream", KEY, 405),
    (f"{PLACES}/stop", KEY, 405),
    ("/info", {}, 401),
    ("/info", {"authorization": "Bearer wrong"}, 401),
    ("/info?api_key=k-123", KEY, 400),
    ("/health", {"host": "evil.example"}, 421),
    ("/health", {"host": None}, 421),
    ("/health", {"origin": "https://evil.example"}, 403),
    ("/health", {"x-padding": "x" * 40_000}, 431),
    ("/health", {"X-Request-Id": "a", "x-request-id": "b"}, 400),
]


@pytest.fixture
def keyed(serve, model, monkeypatch):
    """A gateway with a key and resumable answers."""
    monkeypatch.setenv("HEAD_KEY", KEY["authorization"].removeprefix("Bearer "))
    with serve(model.url, keys={"one": {"env": "HEAD_KEY"}}, resumable=True) as gateway:
        yield gateway


def _twice(connection, path, headers):
    """Ask by `HEAD` and by `GET` on one connection, and return both responses without what differs by nature."""
    replies = []
    for method in ("HEAD", "GET"):
        connection.ask(method, path, headers=headers)
        replies.append(connection.reply())
        replies[-1].headers.pop("x-request-id", None)
        replies[-1].headers.pop("date", None)
    return replies


def test_pages(keyed):
    """The head is that of `GET`, and no byte of the body stands before the next response."""
    with keyed.connect() as connection:
        for path in PAGES:
            head, page = _twice(connection, path, {} if path in OPEN else KEY)
            assert (head.status, page.status) == (200, 200)
            if path != "/metrics":  # which has counted the first request meanwhile
                assert head.headers == page.headers
            assert int(head.headers["content-length"]) > 0
            assert page.complete


def test_refusals(keyed):
    """A refusal has its status and no body, and leaves the connection to the next request."""
    with keyed.connect() as connection:
        for path, headers, status in REFUSALS:
            connection.ask("HEAD", path, headers=headers)
            refused = connection.reply()
            connection.ask("GET", "/health")
            healthy = connection.reply()
            assert (refused.status, healthy.status, healthy.json) == (status, 200, {"status": "ok"}), (path, headers)


def test_gateway_that_is_being_stopped(keyed):
    """A load balancer that asks by `HEAD` learns that it is to send nobody."""
    with keyed.connect() as connection:
        keyed.gateway.stop()
        head, page = _twice(connection, "/health", {})
    assert (head.status, page.status, page.json) == (503, 503, {"status": "stopping"})
    assert head.headers == page.headers


@pytest.mark.parametrize("path", ["/health", "/nothing"])
async def test_other_servers(pipeline_to, path):
    """No body is given to a server that, unlike uvicorn, would send one."""
    gateway = Gateway(Configuration(Settings(), {"travel": pipeline_to("http://localhost:9")}))
    scope = {"type": "http", "method": "HEAD", "path": path, "query_string": b"", "headers": [(b"host", b"localhost")]}
    sent = []

    async def send(message):
        sent.append(message)

    await gateway(scope, None, send)
    assert [message.get("body") for message in sent] == [None, b""]
