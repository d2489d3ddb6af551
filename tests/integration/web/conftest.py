"""Each framework behind its real server, a client that is a bare socket, and an emulated endpoint as the model.

A test says what a view returns, by `site.view`, and asks the site as clients do.
"""

from __future__ import annotations

import importlib
import json
import select
import socket
import threading
import time
import types
from collections.abc import Callable
from contextlib import contextmanager
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import attrs
import pytest

from streamkit import Endpoint, Pipeline
from streamkit.testing import EmulatedEndpoint

PATIENCE = 5.0
"""Seconds until a test that waits for something gives up."""


@attrs.define(eq=False)
class Site:
    """A framework behind a server.

    Attributes:
        responses: The module with its responses.
        asynchronous: Whether its streams are read by the asynchronous driver.
        sees_leaving: Whether the server tells that a client has left before anything is written to it.
        frames: Whether the server chunks what it sends to HTTP/1.0 clients, too, as nginx is by itself; without that
            the end of a body is the end of the connection, and nobody can tell a cut.
        view: What the one view does; set by the test.
    """

    responses: types.ModuleType
    asynchronous: bool
    sees_leaving: bool
    frames: bool
    port: int = 0
    view: Callable[[], object] | None = None

    def stream(self, source, question="Hi", **parameters):
        """Ask, in the site's colour."""
        pipeline = source if isinstance(source, Pipeline) else Pipeline(source)
        return (pipeline.astream if self.asynchronous else pipeline.stream)(question, **parameters)

    def ask(self, *, buffer=None):
        """Send a request, and return the client."""
        return Client(self.port, buffer)


class Client:
    """A connection with one request on it, read as slowly as one likes."""

    def __init__(self, port, buffer=None, path="/"):
        self._socket = socket.socket()
        if buffer is not None:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        self._socket.settimeout(PATIENCE)
        self._socket.connect(("127.0.0.1", port))
        self._socket.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: gzip\r\n\r\n".encode())
        self._received = b""
        self._ended = False
        self._head = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.leave()

    def leave(self):
        """Close the connection."""
        self._socket.close()

    @property
    def status(self):
        """The status of the response."""
        return int(self._heading()[0].split()[1])

    @property
    def headers(self):
        """The headers of the response, names in lower case."""
        return {name.lower(): value for name, _, value in (line.partition(": ") for line in self._heading()[1:])}

    @property
    def body(self):
        """What has come of the body so far."""
        self._heading()
        data = self._received[self._head :]
        return _unchunked(data)[0] if self.headers.get("transfer-encoding") == "chunked" else data

    @property
    def complete(self):
        """Whether the body, read to its end, has an end of its own."""
        self.rest()
        data = self._received[self._head :]
        if self.headers.get("transfer-encoding") == "chunked":
            return _unchunked(data)[1]
        return "content-length" not in self.headers or len(data) == int(self.headers["content-length"])

    def until(self, text):
        """Read until the body has a text in it, and return the body."""
        while text not in self.body:
            assert self._read(), f"the body ended without {text!r}: {self.body!r}"
        return self.body

    def rest(self):
        """Read to the end, and return the body."""
        while not self._over() and self._read():
            pass
        return self.body

    def has_more(self):
        """Whether more of the body has come than was read; servers write a chunk and its end apart."""
        before = len(self.body) if self._received else 0
        while select.select([self._socket], [], [], 0.05)[0] and self._read():
            if len(self.body) > before:
                return True
        return False

    def _over(self):
        self._heading()
        data = self._received[self._head :]
        if self.headers.get("transfer-encoding") == "chunked":
            return _unchunked(data)[1]
        return "content-length" in self.headers and len(data) >= int(self.headers["content-length"])

    def _read(self):
        if self._ended:
            return False
        try:
            data = self._socket.recv(65536)
        except ConnectionResetError:
            data = b""
        self._received += data
        self._ended = not data
        return not self._ended

    def _heading(self):
        while b"\r\n\r\n" not in self._received:
            assert self._read(), f"no head: {self._received!r}"
        head, _, _ = self._received.partition(b"\r\n\r\n")
        self._head = len(head) + 4
        return head.decode("latin-1").split("\r\n")


def _unchunked(data):
    """Return a chunked body so far, and whether its last chunk has come."""
    body = b""
    while True:
        size, found, data = data.partition(b"\r\n")
        if not found:
            return body, False
        length = int(size, 16)
        if not length:
            return body, True
        body += data[:length]
        if len(data) < length + 2:
            return body, False
        data = data[length + 2 :]


def eventually(check, seconds=PATIENCE):
    """Wait until something is so, and return whether it is."""
    deadline = time.monotonic() + seconds
    while not check():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.005)
    return True


@contextmanager
def on_uvicorn(app, **options):
    """Serve an ASGI application, and yield the port."""
    import uvicorn

    config = uvicorn.Config(app, port=0, log_level="critical", lifespan="off", ws="none", **options)
    server = uvicorn.Server(config)
    listener = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="uvicorn")
    thread.start()
    assert eventually(lambda: server.started)
    try:
        yield listener.getsockname()[1]
    finally:
        server.should_exit = server.force_exit = True
        thread.join(PATIENCE)
        listener.close()
        assert not thread.is_alive()


class _QuietHandler(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass


class _ThreadingServer(ThreadingMixIn, WSGIServer):
    daemon_threads = True

    def handle_error(self, *_):
        pass


@contextmanager
def _running(server):
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), name="wsgi")
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join(PATIENCE)
        server.server_close()


def on_wsgiref(app):
    """Serve a WSGI application by the standard library's server, which Django's own is made of."""
    return _running(make_server("127.0.0.1", 0, app, _ThreadingServer, _QuietHandler))


def on_werkzeug(app):
    """Serve a WSGI application by Werkzeug, which `flask run` does."""
    from werkzeug.serving import WSGIRequestHandler as Handler
    from werkzeug.serving import make_server as make

    class Quiet(Handler):
        protocol_version = "HTTP/1.1"

        def log(self, *_):
            pass

    server = make("127.0.0.1", 0, app, threaded=True, request_handler=Quiet)
    server.daemon_threads = True
    return _running(server)


def starlette_app(site):
    """Return an application of Starlette's."""
    from starlette.applications import Starlette
    from starlette.routing import Route

    async def view(request):
        return site.view()

    return Starlette(routes=[Route("/", view)])


def fastapi_app(site):
    """Return an application of FastAPI's."""
    from fastapi import FastAPI

    app = FastAPI()

    @app.get("/")
    async def view():
        return site.view()

    return app


def asgi_app(site):
    """Return an application without a framework."""

    async def app(scope, receive, send):
        await site.view()(scope, receive, send)

    return app


def flask_app(site):
    """Return an application of Flask's."""
    from flask import Flask

    app = Flask("site")

    @app.get("/")
    def view():
        return site.view()

    return app


def django_apps(site, *, asynchronous_view):
    """Return applications of Django's, for ASGI and WSGI, which compress what they may."""
    import django
    from django.conf import settings
    from django.core.handlers.asgi import ASGIHandler
    from django.core.handlers.wsgi import WSGIHandler
    from django.urls import clear_url_caches, path
    from django.views.decorators.gzip import gzip_page

    @gzip_page
    async def aview(request):
        return site.view()

    @gzip_page
    def view(request):
        return site.view()

    urls = types.ModuleType("urls")
    urls.urlpatterns = [path("", aview if asynchronous_view else view)]
    if not settings.configured:
        settings.configure(
            ALLOWED_HOSTS=["*"],
            SECRET_KEY="none",
            LOGGING_CONFIG=None,
        )
        django.setup()
    settings.MIDDLEWARE = ["django.middleware.common.CommonMiddleware", "django.middleware.gzip.GZipMiddleware"]
    settings.ROOT_URLCONF = urls
    clear_url_caches()
    return ASGIHandler, WSGIHandler


SITES = {
    "starlette": ("starlette", True, True, lambda site: on_uvicorn(starlette_app(site), http="httptools")),
    "fastapi": ("starlette", True, False, lambda site: on_uvicorn(fastapi_app(site), http="h11")),
    "asgi": ("asgi", True, True, lambda site: on_uvicorn(asgi_app(site), loop="uvloop")),
    "django-asgi": ("django", True, True, lambda site: on_uvicorn(django_apps(site, asynchronous_view=True)[0]())),
    "django-asgi-sync-view": (
        "django",
        True,
        True,
        lambda site: on_uvicorn(django_apps(site, asynchronous_view=False)[0]()),
    ),
    "django-wsgi": ("django", False, False, lambda site: on_wsgiref(django_apps(site, asynchronous_view=False)[1]())),
    "django-wsgi-async-view": (
        "django",
        False,
        False,
        lambda site: on_wsgiref(django_apps(site, asynchronous_view=True)[1]()),
    ),
    "flask": ("wsgi", True, True, lambda site: on_werkzeug(flask_app(site))),
}
"""Of each site: the module of its responses, `sees_leaving`, `frames`, and how to serve it."""


@pytest.fixture(scope="module", params=[f"{name}, {colour}" for name in SITES for colour in ("async", "sync")])
def site(request):
    """Each framework behind its server, with streams of each colour."""
    name, colour = request.param.split(", ")
    module, sees_leaving, frames, serve = SITES[name]
    responses = importlib.import_module(f"streamkit.web.{module}")
    made = Site(responses, colour == "async", sees_leaving, frames)
    with serve(made) as port:
        made.port = port
        yield made


@pytest.fixture
def model():
    """Start models, and return them: `model(script, ...)`."""
    started = []

    def start(*arguments, **options):
        server = EmulatedEndpoint(*arguments, **options).start()
        started.append(server)
        return server

    yield start
    for server in started:
        server.stop()


@pytest.fixture
def source():
    """Return the source of a model."""
    return lambda server: Endpoint(server.url, api="tgi")


@pytest.fixture
def tools():
    """What tests wait and look with: test folders are no packages to import from."""
    return types.SimpleNamespace(
        eventually=eventually, Client=Client, on_uvicorn=on_uvicorn, Site=Site, fastapi_app=fastapi_app
    )


@pytest.fixture(scope="session")
def parts():
    """Return the objects in a body of server-sent events."""

    def parse(body):
        lines = [line[6:] for line in body.decode().split("\n\n") if line.startswith("data: ")]
        return [line if line == "[DONE]" else json.loads(line) for line in lines]

    return parse
