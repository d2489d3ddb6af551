"""A gateway on a real uvicorn, an emulated model behind it, and a client that sends exactly what a test says."""

from __future__ import annotations

import json
import os
import socket
import time
from contextlib import ExitStack, contextmanager

import attrs
import pytest

from streamkit.pipeline import Pipeline
from streamkit.sources import Endpoint, Timeouts
from streamkit.testing import EmulatedEndpoint, ScriptedToken
from streamkit.transforms import recommended_transforms
from streamkit.web.gateway import Gateway, Settings
from streamkit.web.gateway.server import Server, url_of
from web.serving import PATIENCE, running

# Read by huggingface_hub when it is imported; without them its first request calls home.
os.environ |= {"DO_NOT_TRACK": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}


@attrs.frozen
class Reply:
    """A response, whole."""

    status: int
    headers: dict
    body: bytes
    complete: bool

    @property
    def text(self):
        """The body as text."""
        return self.body.decode()

    @property
    def json(self):
        """The body as JSON."""
        return json.loads(self.body)


class Connection:
    """One connection, by hand."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        self._received = b""
        self._asked = ""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        """Send bytes as they are."""
        self.socket.sendall(data)

    def ask(self, method, path, body=None, headers=()):
        """Send a request; a body that is no bytes is sent as JSON."""
        self._asked = method
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        fields = {"host": "localhost", "content-type": "application/json", **dict(headers)}
        if body is not None:
            fields.setdefault("content-length", str(len(body)))
        head = "".join(f"{name}: {value}\r\n" for name, value in fields.items() if value is not None)
        self.send(f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode("latin-1") + (body or b""))

    def wait_for(self, text):
        """Read until some bytes have come."""
        while text not in self._received:
            data = self.socket.recv(65536)
            assert data, self._received
            self._received += data
        return self._received

    def reply(self):
        """Read a response to its end, and nothing of the next one."""
        head = self.wait_for(b"\r\n\r\n")
        head, _, rest = head.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        if self._asked == "HEAD":
            body, complete, self._received = b"", True, rest
        else:
            body, complete = self._body(headers, rest)
            self._received = b""
        return Reply(int(first.split()[1]), headers, body, complete)

    def _body(self, headers, rest):
        if headers.get("transfer-encoding") == "chunked":
            while not rest.endswith(b"0\r\n\r\n"):
                data = self.socket.recv(65536)
                if not data:
                    return _dechunk(rest), False
                rest += data
            return _dechunk(rest), True
        while len(rest) < int(headers.get("content-length", 0)):
            data = self.socket.recv(65536)
            if not data:
                return rest, False
            rest += data
        return rest, True


def _dechunk(data):
    body = b""
    while data:
        size, _, data = data.partition(b"\r\n")
        length = int(size or b"0", 16)
        body, data = body + data[:length], data[length + 2 :]
    return body


@attrs.frozen
class Served:
    """A gateway that runs."""

    gateway: Gateway
    server: Server
    url: str
    port: int

    def connect(self):
        """Open a connection."""
        return Connection(self.port)

    def ask(self, method, path, body=None, **headers):
        """Send one request on a connection of its own, and return the response."""
        with self.connect() as connection:
            connection.ask(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
            return connection.reply()

    def post(self, path, body, **headers):
        """Post JSON."""
        return self.ask("POST", path, body, **headers)

    def get(self, path, **headers):
        """Get a page."""
        return self.ask("GET", path, **headers)

    def metric(self, line):
        """Return the number behind the beginning of a line of the metrics."""
        return next(
            float(each.split()[-1]) for each in self.gateway.metrics.text().splitlines() if each.startswith(line)
        )

    def wait_until_idle(self):
        """Wait until no answer is generated."""
        deadline = time.monotonic() + PATIENCE
        while any(each.active for each in self.gateway.metrics.pipelines.values()):
            assert time.monotonic() < deadline
            time.sleep(0.005)


@contextmanager
def _running(pipelines, settings):
    with running(pipelines, settings) as (gateway, server, listening):
        yield Served(gateway, server, url_of(listening), listening.getsockname()[1])


@pytest.fixture(scope="session")
def serve():
    """Return a context manager that runs a gateway for pipelines, or for the one of a server's URL."""

    @contextmanager
    def serving(pipelines, **settings):
        settings = {"port": 0, "grace": 0.2, **settings}
        if isinstance(pipelines, str):
            pipelines = {"travel": behind(pipelines)}
        with _running(pipelines, Settings(**settings)) as served:
            yield served

    return serving


def behind(url, **options):
    """Return the pipeline of an emulated endpoint."""
    options = {"api": "tgi", "token": False, "timeouts": Timeouts(first_token=PATIENCE), **options}
    return Pipeline(Endpoint(url, **options), transforms=recommended_transforms())


@pytest.fixture
def pipeline_to():
    """Return the function that makes a pipeline of a server's URL."""
    return behind


@pytest.fixture
def connect():
    """Return a function that opens a connection to a port."""
    with ExitStack() as stack:
        yield lambda port: stack.enter_context(Connection(port))


class Model:
    """An emulated endpoint that several tests share, each with its own requests."""

    def __init__(self, endpoint):
        self.url = endpoint.url
        self._endpoint = endpoint
        self._before = len(endpoint.requests)

    @property
    def requests(self):
        """The requests of this test."""
        return self._endpoint.requests[self._before :]


@pytest.fixture(scope="module")
def shared_model():
    """A model that says three tokens and an end mark."""
    with EmulatedEndpoint(["Take", " tram", " 28.", ScriptedToken("</s>", special=True)]) as endpoint:
        yield endpoint


@pytest.fixture
def model(shared_model):
    """The same, as one test sees it."""
    return Model(shared_model)


@pytest.fixture
def gated():
    """A model that says a token when it is told to."""
    with EmulatedEndpoint(["word "] * 1000, gate=True) as endpoint:
        yield endpoint


@pytest.fixture(scope="module")
def gateway(shared_model):
    """A gateway in front of that model; to start and stop one takes a third of a second."""
    with _running({"travel": behind(shared_model.url)}, Settings(port=0, grace=0.2)) as served:
        yield served
