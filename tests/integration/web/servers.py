"""The servers that frameworks really run behind."""

import socket
import threading
from contextlib import contextmanager
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from integration.web.client import PATIENCE, eventually


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
