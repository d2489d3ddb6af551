"""Behind nginx, with nothing set but where to pass requests, and as the documentation sets it."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from contextlib import contextmanager

import pytest

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
pytestmark = pytest.mark.skipif(NGINX is None, reason="nginx is not installed")

CONFIG = """
daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;
events {{}}
http {{
  access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass http://127.0.0.1:{upstream}; {more} }} }}
}}
"""
DOCUMENTED = (
    "proxy_http_version 1.1; proxy_set_header Host $host; proxy_set_header Connection ''; proxy_read_timeout 1h;"
)


@contextmanager
def nginx(folder, upstream, more=""):
    """Run nginx before a port; gives its own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    file = folder / "nginx.conf"
    file.write_text(CONFIG.format(folder=folder, port=port, upstream=upstream, more=more))
    running = subprocess.Popen([NGINX, "-c", str(file), "-p", str(folder)], stderr=subprocess.DEVNULL)  # noqa: S603 - ours
    try:
        deadline = time.monotonic() + 5
        while True:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except ConnectionRefusedError:
                assert running.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.01)
        yield port
    finally:
        running.terminate()
        running.wait()


@pytest.mark.parametrize("more", ["", DOCUMENTED], ids=["default", "documented"])
def test_tokens_pass_at_once(serve, gated, connect, tmp_path, more):
    """A token is with the client before the next one is there: nginx keeps none back, as it is asked not to."""
    with serve(gated.url, hosts=["llm.example"]) as served, nginx(tmp_path, served.port, more) as port:
        connection = connect(port)
        connection.ask("POST", "/generate_stream", {"inputs": "x"}, {"host": "llm.example"})
        gated.wait_for_request()
        for number in (1, 2, 3):
            gated.release(1)
            connection.wait_for(b'{"index":%d,' % number)


@pytest.mark.parametrize("more", ["", DOCUMENTED], ids=["default", "documented"])
def test_client_that_leaves_nginx_stops_the_model(serve, gated, connect, tmp_path, more):
    """A client that leaves the proxy leaves the model, too, before the first token."""
    with serve(gated.url, hosts=["llm.example"]) as served, nginx(tmp_path, served.port, more) as port:
        connection = connect(port)
        connection.ask("POST", "/api/completion", {"prompt": "x"}, {"host": "llm.example"})
        seen = gated.wait_for_request()
        connection.socket.close()
        assert seen.client_left.wait(1)


def test_page_behind_nginx_is_the_gateways_own(serve, model, connect, tmp_path):
    """With the host passed on, a page of the proxy's name may ask, and one of another may not."""
    with serve(model.url, hosts=["llm.example"]) as served, nginx(tmp_path, served.port, DOCUMENTED) as port:
        for origin, status in (("https://llm.example", 200), ("https://evil.example", 403)):
            with connect(port) as connection:
                connection.ask(
                    "POST", "/api/text/completion", {"prompt": "x"}, {"host": "llm.example", "origin": origin}
                )
                assert connection.reply().status == status
