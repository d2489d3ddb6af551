"""A model's server in a process of its own: ready-made events at the pace asked for, each stamped as it is sent.

One loop over sockets and nothing else, so that it can feed a thousand streams beside the load generator on one core.
"""

from __future__ import annotations

import heapq
import itertools
import re
import selectors
import socket
import time
from typing import Final

from benchmarks.server.wire import Asked, Protocol, asked, chunked, ending, events

HEAD: Final = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncache-control: no-cache\r\n"
    b"transfer-encoding: chunked\r\n\r\n"
)
LENGTH: Final = re.compile(rb"\r\ncontent-length:\s*(\d+)", re.IGNORECASE)
TICK: Final = 2_000_000
"""Nanoseconds to which the times of sending are rounded, so that many tokens leave at each waking."""
MOST_UNSENT: Final = 1 << 20


class Client:
    """One connection: at most one answer at a time."""

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection
        self.received = b""
        self.unsent = b""
        self.protocol: Protocol = "tgi"
        self.left: list[bytes] = []
        self.times: list[int] = []
        self.interval = 0

    def read(self) -> tuple[Protocol, Asked] | None:
        """Take what has come, and return the question once it is complete."""
        data = self.socket.recv(65536)
        if not data:
            raise ConnectionResetError
        self.received += data
        head, mark, body = self.received.partition(b"\r\n\r\n")
        length = LENGTH.search(head)
        if not mark or length is None or len(body) < int(length[1]):
            return None
        self.received = b""
        return "openai" if b"completions" in head.partition(b"\r\n")[0] else "tgi", asked(body)

    def answer(self, protocol: Protocol, question: Asked) -> None:
        """Begin to answer."""
        self.protocol = protocol
        self.left = events(protocol, question.tokens)[::-1]
        self.times = []
        self.interval = int(1e9 / question.rate)
        self.send(HEAD)

    def step(self) -> bool:
        """Send the next token; return whether there are more."""
        if self.left:
            now = time.monotonic_ns() // 1000
            self.times.append(now)
            self.send(chunked(self.left.pop() % now))
            return True
        self.send(chunked(ending(self.protocol, self.times)) + chunked(b""))
        return False

    def send(self, data: bytes) -> None:
        """Send, and keep what the reader has no room for."""
        if self.unsent:
            data = self.unsent + data
        try:
            sent = self.socket.send(data)
        except BlockingIOError:
            sent = 0
        self.unsent = data[sent:]
        if len(self.unsent) > MOST_UNSENT:
            raise ConnectionResetError("it reads too slowly")


class Upstream:
    """The loop."""

    def __init__(self, listening: socket.socket) -> None:
        self._listening = listening
        self._selector = selectors.DefaultSelector()
        self._selector.register(listening, selectors.EVENT_READ)
        self._due: list[tuple[int, int, Client]] = []
        self._numbers = itertools.count()

    def run(self) -> None:
        """Serve until terminated."""
        while True:
            left = self._due[0][0] - time.monotonic_ns() if self._due else 10**9
            for key, _ in self._selector.select(max(0, left) / 1e9):
                if key.data is None:
                    self._accept()
                else:
                    self._hear(key.data)
            now = time.monotonic_ns()
            while self._due and self._due[0][0] <= now:
                due, number, client = heapq.heappop(self._due)
                self._step(client, due, number)

    def _accept(self) -> None:
        connection, _ = self._listening.accept()
        connection.settimeout(0)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._selector.register(connection, selectors.EVENT_READ, Client(connection))

    def _hear(self, client: Client) -> None:
        try:
            question = client.read()
            if question is not None:
                client.answer(*question)
                self._plan(client, time.monotonic_ns(), next(self._numbers))
        except OSError:
            self._drop(client)

    def _step(self, client: Client, due: int, number: int) -> None:
        if client.socket.fileno() < 0:
            return
        try:
            if client.step():
                self._plan(client, due, number)
        except OSError:
            self._drop(client)

    def _plan(self, client: Client, since: int, number: int) -> None:
        heapq.heappush(self._due, ((since + client.interval) // TICK * TICK, number, client))

    def _drop(self, client: Client) -> None:
        self._selector.unregister(client.socket)
        client.socket.close()


def main() -> None:
    """Serve until terminated."""
    with socket.create_server(("127.0.0.1", 0), backlog=4096) as listening:
        print(listening.getsockname()[1], flush=True)
        Upstream(listening).run()


if __name__ == "__main__":
    main()
