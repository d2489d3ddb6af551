"""The asynchronous transport: aiohttp on asyncio, one connection for one answer. Its twin is `_urllib3.py`."""

from __future__ import annotations

import asyncio
import io
import socket
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from functools import partial
from typing import Final

import aiohttp

from streamkit.errors import StreamTimeoutError
from streamkit.protocols import Batch, Format
from streamkit.sources._answers import BODY_LIMIT, WHOLE_LIMIT, Answer, is_stream, refusal, whole
from streamkit.sources._calls import KEEP_ALIVE, Call, Reading, cut_off, tls, unreachable
from streamkit.sources._patience import Patience
from streamkit.sources._pauses import running_loop

BUFFER: Final = 16 * 1024
"""Bytes that wait for a slow reader before the server must. Also the fastest: with aiohttp's own 256 KiB its buffer is
never full, and it then asks for more with every single chunk that it hands over."""

LARGE: Final = 256 * 1024
"""Bytes of a question that are too many to be sent at once: aiohttp warns of a megabyte."""


class _Watch:
    """Closes a response when its deadline passes: one timer for a stream, not one for a token.

    A deadline that moves later is noticed when the timer rings; one that moves earlier must be told by `look`.
    """

    __slots__ = ("_patience", "_response", "_timer", "_until", "expired")

    def __init__(self, response: aiohttp.ClientResponse, patience: Patience) -> None:
        self._response = response
        self._patience = patience
        self.expired: StreamTimeoutError | None = None
        self._set()

    def look(self) -> None:
        """Notice a deadline that is earlier than it was."""
        if self._patience.deadline < self._until:
            self.stop()
            self._set()

    def stop(self) -> None:
        self._timer.cancel()

    def _set(self) -> None:
        self._until = self._patience.deadline
        self._timer = asyncio.get_running_loop().call_later(max(0.0, self._patience.until()), self._ring)

    def _ring(self) -> None:
        if self._patience.until() > 0:
            self._set()
        else:
            self.expired = self._patience.error()
            self._response.close()


class _Response(aiohttp.ClientResponse):
    """A response whose repr tells nothing: aiohttp's own shows the headers, in which a server may echo the token."""

    __repr__ = object.__repr__


@asynccontextmanager
async def send(call: Call, patience: Patience) -> AsyncIterator[aiohttp.ClientResponse]:
    """Send a request and give its response, whatever its status; the connection is closed on exit.

    Raises:
        ConfigurationError: This is another event loop than asyncio's.
        ConnectError: There is no connection.
        StreamTimeoutError: The response's headers did not come in time.
    """
    running_loop()
    session = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=1, ssl=tls(), force_close=True, socket_factory=_socket),
        cookie_jar=aiohttp.DummyCookieJar(),
        response_class=_Response,
        read_bufsize=BUFFER,
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=call.timeouts.connect),
    )
    async with session:
        try:
            async with asyncio.timeout(patience.left()) as limit:
                call.hangup.attach(_elsewhere(lambda: limit.reschedule(0)))
                response = await session.request(
                    call.method,
                    call.url,
                    data=_body(call.encoded()),
                    headers=call.headers,
                    allow_redirects=False,
                    proxy=call.proxy(),
                )
        except aiohttp.ConnectionTimeoutError as error:
            raise unreachable(call, error) from None
        except TimeoutError:
            raise patience.error() from None
        except (aiohttp.ClientError, OSError) as error:
            raise unreachable(call, error) from None
        call.hangup.attach(_elsewhere(response.close))
        try:
            yield response
        finally:
            response.close()


def _body(data: bytes | None) -> bytes | io.BytesIO | None:
    """Return a body as aiohttp wants it: a large one as a file, of which it sends a piece at a time."""
    return data if data is None or len(data) < LARGE else io.BytesIO(data)


def _socket(address: tuple[int, int, int, str, tuple[object, ...]]) -> socket.socket:
    """Return a socket for an address as `getaddrinfo` gives them."""
    made = socket.socket(*address[:3])
    for option in KEEP_ALIVE:
        made.setsockopt(*option)
    return made


def _elsewhere(wake: Callable[[], object]) -> Callable[[], object]:
    """Return a call for any thread of something that must be done in this loop."""
    return partial(asyncio.get_running_loop().call_soon_threadsafe, wake)


@asynccontextmanager
async def ask(call: Call, answer_format: Format) -> AsyncIterator[AsyncIterator[Batch]]:
    """Send a question and give the batches of its answer.

    Raises:
        SourceError: The server refused, or is not there.
        FormatError: The answer is no stream.
    """
    patience = Patience(call.timeouts, call.place)
    async with send(call, patience) as response:
        if response.status != 200:
            # The body is in no variable here: the server may echo the token, and a traceback may show variables.
            raise refusal(
                response.status,
                response.headers,
                await _read_at_most(response, BODY_LIMIT, call, patience),
                call.url,
                call.secrets(),
            )
        if is_stream(response.headers.get("content-type", ""), call.url):
            watch = _Watch(response, patience)
            async with aclosing(_stream(response, Reading(call, answer_format, patience), watch)) as batches:
                try:
                    yield batches
                finally:
                    watch.stop()
        else:
            answer = whole(await _read_at_most(response, WHOLE_LIMIT, call, patience), call.url, call.secrets())
            async with aclosing(_one(answer)) as batches:
                yield batches


async def fetch(call: Call) -> Answer:
    """Send a small request and read its response, up to `WHOLE_LIMIT` bytes."""
    patience = Patience(call.timeouts, call.place)
    async with send(call, patience) as response:
        body = await _read_at_most(response, WHOLE_LIMIT, call, patience)
        return Answer(status=response.status, headers=response.headers, body=body)


async def _stream(response: aiohttp.ClientResponse, reading: Reading, watch: _Watch) -> AsyncGenerator[Batch, None]:
    try:
        while chunk := await response.content.readany():  # what `iter_any` gives, with a frame less for each token
            batch = reading.feed(chunk)
            del chunk  # see `ask`
            if batch:
                yield batch
            reading.go_on(batch)
            watch.look()
    except (aiohttp.ClientError, OSError) as error:
        batch = reading.feed(_unread(response.content))
        if batch:
            yield batch
        reading.go_on(batch)
        for batch in reading.broken(watch.expired or error):
            yield batch
    else:
        # A body without a length ends where its connection does, also where the deadline closed it.
        for batch in reading.ended() if watch.expired is None else reading.broken(watch.expired):
            yield batch


def _unread(content: aiohttp.StreamReader) -> bytes:
    """Return what had come before the connection broke: aiohttp raises without giving it to a consumer who was slow."""
    content.set_exception(None)  # type: ignore[arg-type]  # as it was before
    return content.read_nowait()


async def _one(batch: Batch) -> AsyncGenerator[Batch, None]:
    yield batch


async def _read_at_most(response: aiohttp.ClientResponse, limit: int, call: Call, patience: Patience) -> bytes:
    body = chunk = b""
    try:
        async with asyncio.timeout(patience.left()):
            async for chunk in response.content.iter_any():
                body += chunk
                if len(body) >= limit:
                    break
    except (aiohttp.ClientError, OSError) as error:
        if response.status == 200:  # of a refusal, what came is enough
            failure = cut_off(call, patience.error() if isinstance(error, TimeoutError) else error)
            del body, chunk  # see `ask`
            raise failure from failure.__cause__
    return body[:limit]
