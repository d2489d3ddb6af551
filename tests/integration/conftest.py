"""Real servers, and `drive`: one test body for both transports.

`drive` holds every run it drives to one promise: afterwards there is no thread, task, socket or file descriptor that
was not there before.
"""

from __future__ import annotations

import asyncio
import gc
import os
import shutil
import socket
import ssl
import subprocess
import threading
from contextlib import contextmanager, suppress

import attrs
import pytest

from streamkit.pipeline import Pipeline
from streamkit.testing import EmulatedEndpoint, NoLeaks, ScriptedToken

# Read by huggingface_hub when it is imported; without them its first request calls home.
os.environ |= {"DO_NOT_TRACK": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}

EOS = ScriptedToken("</s>", special=True)
PATIENCE = 5.0  # seconds until a test that waits for something gives up


@attrs.define
class Played:
    """What a run came to."""

    stream: object
    pieces: list = attrs.field(factory=list)
    error: BaseException | None = None

    @property
    def text(self):
        """The text that the consumer got."""
        return "".join(self.pieces)

    @property
    def result(self):
        """The result, as the stream tells it."""
        return self.stream.result


@contextmanager
def nothing_left_behind():
    """Hold a block to leave no thread and no descriptor, and nothing unclosed."""
    with NoLeaks(PATIENCE):
        yield
    gc.collect()  # what was left unclosed says so now, and a warning is an error


class Sync:
    """Plays with `stream()`."""

    asynchronous = False

    def __call__(self, source, question="Hi", body=None, **parameters):
        """Iterate to the end; `body` is the consumer's loop body, and a true answer of it is a `break`."""
        with nothing_left_behind():
            played = Played(_pipeline(source).stream(question, **parameters))
            try:
                with played.stream as stream:
                    for piece in stream:
                        played.pieces.append(piece)
                        if body and body(piece):
                            break
            except BaseException as error:  # noqa: BLE001 - the test asks what it was
                played.error = error
        return played

    def twice(self, source):
        """Run two times with one source."""
        return [self(source), self(source)]


class Async:
    """Plays with `astream()` on asyncio."""

    asynchronous = True

    def __call__(self, source, question="Hi", body=None, **parameters):
        """Iterate to the end, as the synchronous one does."""
        with nothing_left_behind():
            return asyncio.run(self._play(source, question, body, parameters))

    def twice(self, source):
        """Run two times with one source, in one loop."""

        async def play():
            return [await self._play(source, "Hi", None, {}) for _ in range(2)]

        with nothing_left_behind():
            return asyncio.run(play())

    def cancel(self, source, reached):
        """Consume in a task, and cancel it once the blocking function `reached(played)` has returned."""
        with nothing_left_behind():
            return asyncio.run(self._cancel(source, reached))

    async def _play(self, source, question, body, parameters):
        played = Played(_pipeline(source).astream(question, **parameters))
        try:
            await self._consume(played, body)
        except Exception as error:  # noqa: BLE001 - the test asks what it was
            played.error = error
        assert asyncio.all_tasks() == {asyncio.current_task()}
        return played

    async def _consume(self, played, body=None):
        async with played.stream as stream:
            async for piece in stream:
                played.pieces.append(piece)
                if body and body(piece):
                    break

    async def _cancel(self, source, reached):
        played = Played(_pipeline(source).astream("Hi"))
        task = asyncio.create_task(self._consume(played))
        await asyncio.to_thread(reached, played)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        assert task.cancelled()
        assert asyncio.all_tasks() == {asyncio.current_task()}
        return played


def _pipeline(source):
    return source if isinstance(source, Pipeline) else Pipeline(source)


@pytest.fixture(params=[Sync(), Async()], ids=["sync", "async"])
def drive(request):
    """Each transport in turn."""
    return request.param


@pytest.fixture
def drive_async():
    """The asynchronous transport."""
    return Async()


@pytest.fixture
def eos():
    """A special token that ends an answer."""
    return EOS


@pytest.fixture
def hello():
    """A server that says hello as TGI does."""
    with EmulatedEndpoint(["Hello", " world", EOS]) as server:
        yield server


@attrs.define
class RawServer:
    """A server that sends what a test tells it to, byte for byte.

    Args:
        handle: Called with each connection and its request, in a thread of its own; afterwards it is closed.
        context: TLS settings; `None` for plain HTTP.
        reads: False to call `handle` at once.
    """

    handle: object
    context: object = None
    reads: bool = True
    requests: list = attrs.field(factory=list)
    errors: list = attrs.field(factory=list)
    arrived: threading.Event = attrs.field(factory=threading.Event)
    port: int = 0
    _threads: list = attrs.field(factory=list)
    _listener: object = None

    @property
    def url(self):
        """Where it listens."""
        return f"{'https' if self.context else 'http'}://localhost:{self.port}"

    def start(self):
        """Listen."""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._run(self._accept)
        return self

    def stop(self):
        """Stop listening, wait for what runs, and raise what went wrong in it."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(PATIENCE)
            assert not thread.is_alive()
        for error in self.errors:
            raise error

    def _run(self, function, *arguments):
        thread = threading.Thread(target=function, args=arguments, name="raw-server")
        self._threads.append(thread)
        thread.start()

    def _accept(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.arrived.set()
            self._run(self._serve, connection)

    def _serve(self, connection):
        connection.settimeout(PATIENCE)
        try:
            if self.context:
                connection = self.context.wrap_socket(connection, server_side=True)
            with connection:
                request = read_request(connection) if self.reads else b""
                if request or not self.reads:
                    self.requests.append(request)
                    self.handle(connection, request)
        except (ConnectionError, ssl.SSLError):
            pass  # the client left, as clients may
        except Exception as error:  # noqa: BLE001 - raised when the server stops
            self.errors.append(error)
        finally:
            connection.close()


def read_request(connection):
    """Return the head and body of a request; nothing if the client leaves before."""
    data = b""
    while b"\r\n\r\n" not in data:
        chunk = connection.recv(65536)
        if not chunk:
            return b""
        data += chunk
    head, _, body = data.partition(b"\r\n\r\n")
    length = next((int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0)
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


@pytest.fixture
def serve():
    """Return a function that starts a raw server: `serve(handle)`."""
    started = []

    def serve(handle, context=None, *, reads=True):
        server = RawServer(handle, context, reads).start()
        started.append(server)
        return server

    yield serve
    for server in started:
        server.stop()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """A self-signed certificate for `localhost` with its key, in one file."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("there is no openssl to make a certificate with")
    folder = tmp_path_factory.mktemp("tls")
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    files = ["-keyout", folder / "key", "-out", folder / "certificate"]
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
    command = [openssl, "req", "-x509", *curve, "-nodes", "-days", "2", *names, *files]
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - our own command
    both = folder / "both.pem"
    both.write_bytes((folder / "certificate").read_bytes() + (folder / "key").read_bytes())
    return both


@pytest.fixture
def tls_context(certificate):
    """The settings of a server with that certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


@pytest.fixture
def trusted(certificate, monkeypatch):
    """Make clients trust that certificate."""
    from streamkit.sources._calls import tls

    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    tls.cache_clear()
    yield
    tls.cache_clear()
