"""Flask under gunicorn, which most people deploy it with."""

import os
import socket
import subprocess
import sys

import pytest

from integration.web.client import Client, eventually

APP = """
from flask import Flask
from streamkit import Endpoint, Pipeline
from streamkit.web.wsgi import TgiResponse

app = Flask("app")

@app.get("/")
def view():
    import os
    return TgiResponse(Pipeline(Endpoint(os.environ["MODEL"], api="tgi")).stream("Hi"))
"""


@pytest.fixture(params=["sync", "gthread"])
def ask(request, model, tmp_path):
    """Start gunicorn, and return how to ask it, and the model."""
    server = model(["one", " two"], gate=True)
    (tmp_path / "site_of_flask.py").write_text(APP)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", "--worker-class", request.param]
    command += ["--no-control-socket", "--graceful-timeout", "1", "site_of_flask:app"]
    environment = os.environ | {"MODEL": server.url}
    with subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=subprocess.DEVNULL) as gunicorn:  # noqa: S603 - our own command

        def listens():
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", port)) == 0

        assert eventually(listens, 15)
        yield lambda: Client(port), server
        gunicorn.terminate()


def test_tokens_arrive_one_by_one(ask):
    """Each token is at the client before the model may send the next."""
    client, server = ask
    with client() as reader:
        for word in (b"one", b" two"):
            server.release()
            reader.until(word)
        assert reader.complete


def test_a_client_that_leaves_ends_the_run_at_any_moment(ask):
    """Before the first token, gunicorn's socket tells."""
    client, server = ask
    with client():
        first = server.wait_for_request()
    assert first.client_left.wait(1.0)
    server.release()
    with client() as reader:
        reader.until(b"one")
    assert server.requests[1].client_left.wait(1.0)
