"""What every test needs: a redis-server that can be killed, stores, and producers in processes of their own."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
from streamkit import LogHead

from streamkit_redis import RedisStore

BINARY = shutil.which("redis-server") or shutil.which("valkey-server")
PRODUCER = Path(__file__).parent / "producer.py"


class Server:
    """A redis-server on a free port, with its data in a directory of its own."""

    def __init__(self, folder, *options):
        self._command = [BINARY, "--dir", str(folder), "--save", "", "--bind", "127.0.0.1", *options]
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self.port}"
        self.start()

    def start(self):
        """Start it, and wait until it answers."""
        self._process = subprocess.Popen([*self._command, "--port", str(self.port)], stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 10
        while self.say("PING") != "+PONG":
            assert time.monotonic() < deadline, "redis-server does not answer"
            time.sleep(0.01)

    def kill(self):
        """End it as a crash does."""
        self._process.kill()
        self._process.wait()

    def say(self, *words):
        """Send one command over a connection of its own, and return the answer as it stands."""
        parts = [f"${len(word.encode())}\r\n{word}\r\n" for word in words]
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
            connection.sendall(f"*{len(parts)}\r\n{''.join(parts)}".encode())
            return connection.recv(1 << 16).decode().strip()
        return None


class Producer:
    """A process that appends numbered tokens to a stream, and tells how many are kept."""

    def __init__(self, url, stream_id, tokens, interval=0.002, lease=0.6):
        command = [sys.executable, str(PRODUCER), url, stream_id, str(tokens), str(interval), str(lease)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.kept = 0

    def wait_for(self, kept):
        """Return once so many tokens are kept; -1 for the beginning of the stream."""
        for line in self._process.stdout:
            word, number = line.split()
            if word == "kept":
                self.kept = int(number)
                if self.kept >= kept:
                    return
        raise AssertionError("the producer ended early")

    def rest(self):
        """Return what it says up to its end, as lines."""
        lines = self._process.stdout.read().splitlines()
        self._process.wait(10)
        return lines

    def send(self, number):
        """Send it a signal."""
        self._process.send_signal(number)

    def close(self):
        """See that it is gone."""
        with suppress(ProcessLookupError):
            os.kill(self._process.pid, signal.SIGKILL)
        self._process.stdout.close()
        self._process.wait()


@pytest.fixture
def start_server(tmp_path):
    """Return a function that starts a redis-server with options."""
    if BINARY is None:
        pytest.skip("there is no redis-server on the path: apt install redis-server")
    servers = []

    def start_server(*options):
        folder = tmp_path / str(len(servers))
        folder.mkdir()
        servers.append(Server(folder, *options))
        return servers[-1]

    yield start_server
    for server in servers:
        server.kill()


@pytest.fixture
def server(start_server):
    """Return a redis-server that keeps what it was told, flushed every second."""
    return start_server("--appendonly", "yes", "--appendfsync", "everysec")


@pytest.fixture
async def make_store(server):
    """Return a function that makes a store: each is what one server process has."""
    stores = []

    def make_store(**options):
        options = {"url": server.url, "lease": 0.6, "patience": 0.5, "batch_seconds": 0.005, **options}
        stores.append(RedisStore(**options))
        return stores[-1]

    yield make_store
    for store in stores:
        await store.aclose()


@pytest.fixture
def start_producer(server):
    """Return a function that starts a producer."""
    producers = []

    def start_producer(stream_id, tokens=100_000, **options):
        producers.append(Producer(server.url, stream_id, tokens, **options))
        return producers[-1]

    yield start_producer
    for producer in producers:
        producer.close()


@pytest.fixture
def head():
    """Return the head of a stream of server-sent events."""
    return LogHead(headers={"content-type": "text/event-stream"}, keep_alive=b":\n\n", will=b"data: lost\n\n")


@pytest.fixture
def read_all():
    """Return a function that gives every entry up to the end."""

    async def read_all(reader):
        return [entry async for entries in reader for entry in entries]

    return read_all


@pytest.fixture
def read_in_turns():
    """Return a function that leaves after so many entries and comes back by the last id, up to the end."""

    async def read_in_turns(stores, stream_id, turn):
        read, visits = [], 0
        while not (read and read[-1].end):
            reader = await stores[visits % len(stores)].read(
                stream_id, (read[-1].epoch, read[-1].seq) if read else None
            )
            visits += 1
            got = 0
            async for entries in reader:
                taken = entries[: turn - got]
                read += taken
                got += len(taken)
                if got == turn:
                    break
        return read

    return read_in_turns
