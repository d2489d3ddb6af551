"""A plain HTTP client for looking at what the emulator sends."""

import json
import os
import socket
from contextlib import contextmanager

import attrs
import pytest
import urllib3

# Read by huggingface_hub when it is imported; without them its first request calls home.
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
os.environ["DO_NOT_TRACK"] = "1"


@attrs.frozen(kw_only=True)
class Reply:
    """What the server answered."""

    status: int
    headers: dict
    text: str

    @property
    def json(self):
        """The body as JSON."""
        return json.loads(self.text)

    @property
    def events(self):
        """The data of each server-sent event; the end mark as a string."""
        data = [line.removeprefix("data: ") for line in self.text.split("\n") if line.startswith("data: ")]
        return [each if each == "[DONE]" else json.loads(each) for each in data]

    @property
    def lines(self):
        """The JSON document of each line."""
        return [json.loads(line) for line in self.text.splitlines()]


@pytest.fixture
def http():
    """Return a pool that neither retries nor follows redirects."""
    with urllib3.PoolManager(retries=False) as pool:
        yield pool


@pytest.fixture
def get(http):
    """Return a function that gets a path of a server."""

    def get(server, path, **headers):
        answer = http.request("GET", server.url + path, headers=headers, redirect=False)
        return Reply(status=answer.status, headers=answer.headers, text=answer.data.decode())

    return get


@pytest.fixture
def post(http):
    """Return a function that posts a JSON document, or raw bytes, to a path of a server."""

    def post(server, path, body, **headers):
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        fields = {"Content-Type": "application/json", **headers}
        answer = http.request("POST", server.url + path, body=raw, headers=fields, redirect=False)
        return Reply(status=answer.status, headers=answer.headers, text=answer.data.decode())

    return post


@pytest.fixture
def ask():
    """Return a context manager that posts over a bare socket and yields the socket."""

    @contextmanager
    def ask(server, path="/generate_stream", body=b'{"inputs":"Hi"}'):
        host, port = server.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=5) as connection:
            head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
            connection.sendall(head.encode() + b"\r\n\r\n" + body)
            yield connection

    return ask


@pytest.fixture
def read_until():
    """Return a function that reads from a socket until some bytes have come."""

    def read_until(connection, mark, count=1):
        seen = b""
        while seen.count(mark) < count:
            chunk = connection.recv(65536)
            if not chunk:
                raise AssertionError(f"the connection ended before {mark!r}: {seen!r}")
            seen += chunk
        return seen

    return read_until


@pytest.fixture
def read_all():
    """Return a function that reads from a socket until its end."""

    def read_all(connection):
        seen = b""
        while chunk := connection.recv(65536):
            seen += chunk
        return seen

    return read_all
