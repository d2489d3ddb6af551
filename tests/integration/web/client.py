"""A client that is a bare socket, and reads as slowly as one likes."""

import select
import socket
import time

PATIENCE = 5.0
"""Seconds until a test that waits for something gives up."""


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
