"""The load generator, a process of its own: many streams read by one loop, and what came of them as JSON.

While it runs it only notes what arrived and when; that every token came once and in order is looked at afterwards.
"""

from __future__ import annotations

import gc
import json
import selectors
import socket
import sys
import time
from typing import Final

import attrs

from benchmarks.server import process
from benchmarks.server.arrivals import Arrivals, Figures, figures
from benchmarks.server.wire import PATHS, Asked, Protocol, question

OPENED_PER_SECOND: Final = 100
SETTLED: Final = 1.0
"""Seconds after the last stream was opened before anything is measured."""


@attrs.frozen(kw_only=True)
class Load:
    """One run of the generator.

    Args:
        port: Where the server listens.
        pid: The server's process.
        protocol: What to speak.
        streams: How many at once.
        rate: Tokens a second of each.
        seconds: How long to measure; 0 leaves the streams once their memory was measured.
        cleaned: Whether the answers must not have the special token that ends them.
        key: What the server wants to be shown.
    """

    port: int
    pid: int
    protocol: Protocol
    streams: int
    rate: float
    seconds: float
    cleaned: bool = False
    key: str = ""

    @property
    def first(self) -> int:
        """How many streams are open when memory is measured the first time."""
        return min(100, self.streams // 2)

    @property
    def tokens(self) -> int:
        """The length of an answer: the first one must last until all are open and measured."""
        return int((self.streams / OPENED_PER_SECOND * 1.5 + 2 * SETTLED + self.seconds + 2) * self.rate)

    def request(self) -> bytes:
        """Return the bytes of a request."""
        body = question(self.protocol, Asked(self.tokens, self.rate))
        head = (
            f"POST {PATHS[self.protocol]} HTTP/1.1\r\nhost: 127.0.0.1:{self.port}\r\ncontent-type: application/json\r\n"
            f"content-length: {len(body)}\r\nauthorization: Bearer {self.key}\r\n\r\n"
        )
        return head.encode() + body


class Generator:
    """The loop."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._selector = selectors.DefaultSelector()
        self._request = load.request()
        self.streams: list[Arrivals] = []
        self._open = 0

    def run(self) -> Figures:
        """Open the streams, measure, and read them to their end."""
        load = self._load
        self._reach(load.first)
        few = process.memory(load.pid)
        self._reach(load.streams)
        many = process.memory(load.pid)
        began, cpu = time.monotonic(), process.cpu(load.pid)
        self._read(began + load.seconds)
        ended, spent = time.monotonic(), process.cpu(load.pid) - cpu
        full = self._open == load.streams
        deadline = ended + (load.tokens / load.rate + 30 if load.seconds else 0)
        while self._open and time.monotonic() < deadline:
            self._read(time.monotonic() + 0.1)
        return figures(
            self.streams,
            (began, ended),
            tokens=load.tokens if load.seconds else None,
            cleaned=load.cleaned,
            cpu=spent,
            memory=(many - few) / (load.streams - load.first),
            full=full,
            rate=load.streams * load.rate,
        )

    def _reach(self, count: int) -> None:
        began = time.monotonic() - len(self.streams) / OPENED_PER_SECOND
        while len(self.streams) < count:
            self._connect()
            self._read(began + len(self.streams) / OPENED_PER_SECOND)
        self._read(time.monotonic() + SETTLED)

    def _connect(self) -> None:
        connection = socket.create_connection(("127.0.0.1", self._load.port), timeout=10)
        connection.sendall(self._request)
        connection.settimeout(0)
        arrivals = Arrivals()
        self.streams.append(arrivals)
        self._open += 1
        self._selector.register(connection, selectors.EVENT_READ, arrivals)

    def _read(self, until: float) -> None:
        while (left := until - time.monotonic()) > 0:
            for key, _ in self._selector.select(left):
                connection = key.fileobj
                assert isinstance(connection, socket.socket)
                try:
                    data = connection.recv(65536)
                except ConnectionError:
                    data = b""
                if key.data.take(time.monotonic_ns(), data):
                    self._selector.unregister(connection)
                    connection.close()
                    self._open -= 1


def measure(load: Load, cpu: int | None) -> Figures:
    """Run the generator in a process of its own.

    Args:
        load: What to do.
        cpu: The CPU to run on.
    """
    given = json.dumps(attrs.asdict(load))
    return Figures(**json.loads(process.output("benchmarks.server.load", given, cpu=cpu)))


def main() -> None:
    """Run, and print the figures."""
    gc.disable()  # what it notes has no cycles, and a collection would be a gap
    print(json.dumps(attrs.asdict(Generator(Load(**json.loads(sys.argv[1]))).run())))


if __name__ == "__main__":
    main()
