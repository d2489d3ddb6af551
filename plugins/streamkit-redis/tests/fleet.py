"""Several gateways behind nginx, each a process of its own, that share a Redis: what an operator has."""

from __future__ import annotations

import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "put-nginx-in-front.md"
PATIENCE = 20.0  # seconds until something that must come is given up

GATEWAY = """
[gateway]
grace = {grace}

[gateway.resumable]
use = "redis"
url = "{redis}"
lease = {lease}
patience = {patience}

[pipelines.travel]
source = {{ use = "endpoint", url = "{model}", api = "tgi" }}
transforms = ["repair_text", "scrub_eos", "skip_special_tokens"]
"""

AROUND = """
daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{
  access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  {documented}
}}
"""


def free_port():
    """Return a port that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


class Worker:
    """`streamkit serve` on a port of its own, which it keeps when it is restarted."""

    def __init__(self, folder, config):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._command = [sys.executable, "-m", "streamkit", "serve", "--config", str(config), "--port", str(self.port)]
        self._log = folder / f"worker-{self.port}.log"
        self.start()

    def start(self):
        """Start it; it takes connections a moment later."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._command, stderr=log)

    def wait(self):
        """Wait until it takes connections."""
        _wait_for(self.port, self._process, self._log)

    def stop(self):
        """Tell it to end as an operator does, and wait until it has."""
        self._process.send_signal(signal.SIGTERM)
        assert self._process.wait(60) in {-signal.SIGTERM, 128 + signal.SIGTERM}, self._log.read_text()

    def kill(self):
        """End it as a crash does."""
        self._process.kill()
        self._process.wait()


@contextmanager
def gateways(folder, redis, model, *, count=4, grace=30, lease=9):
    """Run so many workers in front of a model; gives them."""
    config = folder / "streamkit.toml"
    config.write_text(GATEWAY.format(redis=redis, model=model, grace=grace, lease=lease, patience=lease * 2 / 3))
    with ExitStack() as stack:
        workers = []
        for _ in range(count):
            workers.append(Worker(folder, config))
            stack.callback(workers[-1].kill)
        for worker in workers:
            worker.wait()
        yield workers


@contextmanager
def nginx(folder, ports):
    """Run nginx as the documentation sets it up for several gateways; gives its URL."""
    port = free_port()
    file = folder / "nginx.conf"
    file.write_text(AROUND.format(folder=folder, documented=_documented(port, ports)))
    running = subprocess.Popen([NGINX, "-c", str(file), "-p", str(folder)], stderr=subprocess.DEVNULL)
    try:
        _wait_for(port, running, folder / "error.log")
        yield f"http://127.0.0.1:{port}"
    finally:
        running.terminate()
        running.wait()


def _documented(port, ports):
    """Return the blocks of the page, with the ports of a test in the place of those that it shows."""
    blocks = re.findall(r"^ {4}(?:upstream|server) .*?^ {4}\}$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    upstream, server = (next(block for block in blocks if word in block) for word in ("upstream", "proxy_pass"))
    shown = re.findall(r"127\.0\.0\.1:\d+", upstream)
    assert len(shown) == len(ports), "the page shows another number of gateways"
    for each, given in zip(shown, ports, strict=True):
        upstream = upstream.replace(each, f"127.0.0.1:{given}")
    server = re.sub(r"proxy_pass \S+;", "proxy_pass http://gateways;", server)
    return upstream + re.sub(r"listen .*;", f"listen 127.0.0.1:{port};", server)


def _wait_for(port, process, log):
    deadline = time.monotonic() + PATIENCE
    while True:
        with suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
            return
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, f"nothing listens on port {port}"
        time.sleep(0.02)
