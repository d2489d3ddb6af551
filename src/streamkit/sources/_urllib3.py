"""The synchronous transport: urllib3, one connection for one answer.

A connection of one's own can be closed without harm to another stream, is never stale, and leaves nothing behind.
The answer is read as it comes, never line by line.
"""

from __future__ import annotations

import contextlib
import io
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, Final, TypeVar
from urllib.parse import unquote

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.util import parse_url

from streamkit.errors import StreamTimeoutError
from streamkit.protocols import Batch, Format
from streamkit.request import Hangup
from streamkit.sources._answers import BODY_LIMIT, WHOLE_LIMIT, Answer, is_stream, refusal, whole
from streamkit.sources._calls import KEEP_ALIVE, Call, Reading, cut_off, tls, unreachable
from streamkit.sources._chunked import Dechunker
from streamkit.sources._patience import Patience

T = TypeVar("T")

CHUNK: Final = 64 * 1024
"""How much is read at a time, in bytes."""


class _Wire(io.RawIOBase):
    """The receiving side of a socket; it gives up at the deadline, however slowly bytes drip in."""

    def __init__(self, sock: socket.socket, patience: Patience) -> None:
        self._sock = sock
        self._patience = patience
        self._raw = sock.makefile("rb", buffering=0)  # keeps the socket open when http.client closes its own end

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._patiently(self._sock.recv_into, buffer)

    def recv(self, size: int) -> bytes:
        return self._patiently(self._sock.recv, size)

    def _patiently(self, receive: Callable[[Any], T], what: Any) -> T:
        self._sock.settimeout(self._patience.left())
        try:
            return receive(what)
        except TimeoutError:
            raise self._patience.error() from None

    def close(self) -> None:
        self._raw.close()
        super().close()


class _TimedSocket:
    """A connected socket that sends, and by its `_Wire` receives, until the deadline; all else is the socket's own."""

    def __init__(self, sock: socket.socket, patience: Patience) -> None:
        self._sock = sock
        self._patience = patience
        self.reader = io.BufferedReader(_Wire(sock, patience))

    def makefile(self, *_: Any, **__: Any) -> io.BufferedReader[_Wire]:
        return self.reader

    def sendall(self, data: bytes) -> None:
        """Send a request, whose receiver need not take it in time."""
        rest = memoryview(data)
        while rest:
            try:
                self._sock.settimeout(self._patience.left())
                rest = rest[self._sock.send(rest) :]
            except (TimeoutError, StreamTimeoutError):
                self.reader.close()  # nobody will read, and it would keep the socket open
                raise self._patience.error() from None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)


class _Timed:
    """Mixin of the two connection classes."""

    sock: Any

    def __init__(self, *args: Any, patience: Patience, hangup: Hangup, **options: Any) -> None:
        super().__init__(*args, **options)
        self._patience = patience
        self._hangup = hangup
        self._connecting: socket.socket | None = None

    def _new_conn(self) -> socket.socket:
        sock: socket.socket = super()._new_conn()  # type: ignore[misc]
        self._connecting = sock.dup()  # the handshake of TLS takes the descriptor out of `sock`
        self._hangup.attach(partial(_shut, self._connecting))
        return sock

    def connect(self) -> None:
        try:
            super().connect()  # type: ignore[misc]
        finally:
            if self._connecting is not None:
                self._connecting.close()
        self._hangup.attach(partial(_shut, self.sock))
        self.sock = _TimedSocket(self.sock, self._patience)
        self.reader = self.sock.reader  # `sock` may be gone once the headers are read


class _TimedHTTP(_Timed, HTTPConnection):
    pass


class _TimedHTTPS(_Timed, HTTPSConnection):
    pass


def _shut(sock: socket.socket) -> None:
    """Make a read that waits in another thread see the end of the body."""
    with contextlib.suppress(OSError):  # it is closed already
        socket.socket.shutdown(sock, socket.SHUT_RDWR)  # TLS's own would pull its state from under the reader


@contextmanager
def send(call: Call, patience: Patience) -> Iterator[urllib3.BaseHTTPResponse]:
    """Send a request and give its response, whatever its status; the connection is closed on exit.

    Raises:
        ConnectError: There is no connection.
        StreamTimeoutError: The response's headers did not come in time.
    """
    manager = _manager(call)
    pool = manager.connection_from_url(call.url)
    pool.ConnectionCls = partial(  # type: ignore[assignment]
        _TimedHTTPS if pool.scheme == "https" else _TimedHTTP, patience=patience, hangup=call.hangup
    )
    try:
        try:
            response = manager.urlopen(
                call.method,
                call.url,
                body=call.encoded(),
                headers=dict(call.headers),
                preload_content=False,
                redirect=False,
                retries=False,
                timeout=urllib3.Timeout(connect=call.timeouts.connect, read=patience.left()),
            )
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise unreachable(call, error) from None
        except StreamTimeoutError as error:
            raise error.with_traceback(None) from None  # the transport's frames hold the headers
        try:
            yield response
        finally:
            response.close()
    finally:
        pool.close()  # an answer read to its end has put its connection back there


@contextmanager
def ask(call: Call, answer_format: Format) -> Iterator[Iterator[Batch]]:
    """Send a question and give the batches of its answer.

    Raises:
        SourceError: The server refused, or is not there.
        FormatError: The answer is no stream.
    """
    patience = Patience(call.timeouts, call.place)
    with send(call, patience) as response:
        if response.status != 200:
            # The body is in no variable here: the server may echo the token, and a traceback may show variables.
            raise refusal(
                response.status, response.headers, _read_at_most(response, BODY_LIMIT, call), call.url, call.secrets()
            )
        if is_stream(response.headers.get("content-type", ""), call.url):
            yield _stream(response, Reading(call, answer_format, patience))
        else:
            yield iter((whole(_read_at_most(response, WHOLE_LIMIT, call), call.url, call.secrets()),))


def fetch(call: Call) -> Answer:
    """Send a small request and read its response, up to `WHOLE_LIMIT` bytes."""
    with send(call, Patience(call.timeouts, call.place)) as response:
        body = _read_at_most(response, WHOLE_LIMIT, call)
        return Answer(status=response.status, headers=response.headers, body=body)


def _manager(call: Call) -> urllib3.PoolManager:
    proxy = call.proxy()
    options = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1), *KEEP_ALIVE]  # the first is urllib3's own
    if proxy is None:
        return urllib3.PoolManager(num_pools=1, ssl_context=tls(), socket_options=options)
    user = parse_url(proxy).auth
    headers = urllib3.make_headers(proxy_basic_auth=unquote(user)) if user else None
    return urllib3.ProxyManager(proxy, num_pools=1, ssl_context=tls(), proxy_headers=headers, socket_options=options)


def _stream(response: urllib3.BaseHTTPResponse, reading: Reading) -> Iterator[Batch]:
    try:
        for chunk in _chunks(response):
            batch = reading.feed(chunk)
            del chunk  # see `ask`
            if batch:
                yield batch
            reading.go_on(batch)
    except (urllib3.exceptions.HTTPError, OSError, StreamTimeoutError) as error:
        yield from reading.broken(error)
    else:
        yield from reading.ended()


def _chunks(response: urllib3.BaseHTTPResponse) -> Iterator[bytes]:
    """Yield what has come of a body, as it comes and up to a bound at a time."""
    if isinstance(response, urllib3.HTTPResponse) and response.chunked and "content-encoding" not in response.headers:
        connection: Any = response.connection  # a `_Timed`, as every connection here
        yield from _unchunked(connection.reader)
        return
    while chunk := response.read1(CHUNK, decode_content=True):
        yield chunk


def _unchunked(reader: io.BufferedReader[_Wire]) -> Iterator[bytes]:
    dechunker = Dechunker()
    coded = reader.read1(CHUNK)  # empties the buffer, which is not needed any more
    while coded:
        data = dechunker.feed(coded)
        if data:
            yield data
        if dechunker.complete:
            return
        coded = reader.raw.recv(CHUNK)
    raise urllib3.exceptions.ProtocolError("the body ended before its last chunk")


def _read_at_most(response: urllib3.BaseHTTPResponse, limit: int, call: Call) -> bytes:
    body = chunk = b""
    try:
        for chunk in _chunks(response):
            body += chunk
            if len(body) >= limit:
                break
    except (urllib3.exceptions.HTTPError, OSError, StreamTimeoutError) as error:
        if response.status == 200:  # of a refusal, what came is enough
            failure = cut_off(call, error)
            del body, chunk  # see `ask`
            raise failure from failure.__cause__
    return body[:limit]
