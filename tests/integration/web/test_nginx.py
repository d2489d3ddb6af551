"""The same behind nginx as it comes: nothing is set but where to pass requests to."""

import shutil
import socket
import subprocess

import pytest

from integration.web.client import Client, eventually
from streamkit import StreamkitError, from_iterable

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin:/opt/homebrew/bin")
pytestmark = [
    pytest.mark.skipif(NGINX is None, reason="nginx is not installed"),
    pytest.mark.filterwarnings("ignore:.*SpooledTemporaryFile:pytest.PytestUnraisableExceptionWarning"),
]

CONFIGURATION = """
pid {folder}/pid;
error_log {folder}/error.log;
daemon off;
events {{}}
http {{
    access_log off;
    gzip on;
    client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c;
    uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://127.0.0.1:{upstream};
        }}
    }}
}}
"""


@pytest.fixture
def proxied(site, tmp_path):
    """Put nginx in front of a site, and return how to ask it."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    file = tmp_path / "nginx.conf"
    file.write_text(CONFIGURATION.format(folder=tmp_path, port=port, upstream=site.port))
    command = [NGINX, "-p", str(tmp_path), "-c", str(file), "-e", str(tmp_path / "error.log")]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as nginx:  # noqa: S603 - our own command

        def listens():
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", port)) == 0

        assert eventually(listens), (tmp_path / "error.log").read_text()
        yield lambda: Client(port)
        nginx.terminate()


def test_tokens_arrive_one_by_one(site, proxied, model, source):
    """Nginx passes each token on as it comes, and does not compress them."""
    server = model(["one", " two", " three"], gate=True)
    site.view = lambda: site.responses.UIMessageResponse(site.stream(source(server)))
    with proxied() as client:
        for word in (b"one", b" two", b" three"):
            server.release()
            client.until(word)
        assert client.complete
        assert client.headers.get("content-encoding", "identity") == "identity"


def test_text_arrives_as_it_comes(site, proxied, model, source):
    """Nor does it hold plain text back, which it would like to compress."""
    server = model(["one", " two"], gate=True)
    site.view = lambda: site.responses.StreamingTextResponse(site.stream(source(server)))
    with proxied() as client:
        for word in (b"one", b" two"):
            server.release()
            client.until(word)
        assert client.complete


def test_a_client_that_leaves_ends_the_run(site, proxied, model, source):
    """Nginx closes its connection to us, and we close ours to the model."""
    server = model(["word "] * 1000, pace=0.02)
    site.view = lambda: site.responses.TgiResponse(site.stream(source(server)))
    with proxied() as client:
        client.until(b"word")
    assert server.requests[0].client_left.wait(1.0)


def test_a_client_that_leaves_before_the_first_token_ends_the_run(site, proxied, model, source):
    """Also while the model is silent."""
    server = model(["late"], gate=True)
    pings = {} if site.sees_leaving else {"keep_alive": 0.1}
    site.view = lambda: site.responses.TgiResponse(site.stream(source(server)), **pings)
    with proxied():
        seen = server.wait_for_request()
    assert seen.client_left.wait(1.0)


def test_a_refusal_keeps_its_status(site, proxied, model, source):
    """The status of an error before the first byte reaches the client."""
    server = model(api_key="right")
    site.view = lambda: site.responses.OpenAIChatResponse(site.stream(source(server)))
    with proxied() as client:
        assert client.status == 502
        assert b"An error occurred." in client.rest()


def test_a_text_that_was_cut_is_no_complete_response(site, proxied):
    """Nginx breaks its connection to the client where ours was broken, if it could tell."""

    def cut():
        yield "Hello"
        raise StreamkitError("cut")

    site.view = lambda: site.responses.StreamingTextResponse(site.stream(from_iterable(cut())))
    with proxied() as client:
        assert client.rest() == b"Hello"
        assert client.complete != site.frames
