"""The gateway on uvicorn: bounded before a request is read, and stopped with a word to every client."""

from __future__ import annotations

import asyncio
import logging
import socket
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from streamkit.errors import ConfigurationError
from streamkit.web.gateway.app import Gateway
from streamkit.web.gateway.log import JsonFormatter
from streamkit.web.gateway.settings import Limits, Settings

_FAREWELL_SECONDS = 1.0
"""How long clients have to take their last bytes, and to ask if they have only just connected."""

_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class Protocol(HttpToolsProtocol):
    """uvicorn's, which bounds neither the size of a request's head nor the time it takes to come.

    1. A head that exceeds its bound while it is read gets 431, and the connection is closed.
    2. A connection whose head is not complete in time is closed without a word.
    3. When the server is stopped, a client that has connected and not asked yet has a second to do so.
    """

    limits = Limits()

    def connection_made(self, transport: Any) -> None:
        """Begin to wait for a head."""
        super().connection_made(transport)
        self._head: int | None = 0
        self._late: asyncio.TimerHandle | None = self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._in_time()
        super().connection_lost(exc)

    def shutdown(self) -> None:
        """Let go of the client after its answer, as the server is being stopped."""
        if not self.cycle:
            self.loop.call_later(_FAREWELL_SECONDS, super().shutdown)
        else:
            super().shutdown()

    def on_message_begin(self) -> None:
        """A head begins."""
        super().on_message_begin()
        self._head = 0

    def on_headers_complete(self) -> None:
        """The head is there."""
        self._in_time()
        self._head = None
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        """Take bytes, unless a head is larger than it may be."""
        if self._late is None and self.cycle and self.cycle.response_complete:  # a further request seems to begin
            self._late = self._wait()
        super().data_received(data)
        if self._head is not None and not self.transport.is_closing():
            self._head += len(data)
            if self._head > self.limits.header_bytes:
                self.transport.write(_TOO_LARGE)
                self.transport.close()

    def _in_time(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _wait(self) -> asyncio.TimerHandle:
        return self.loop.call_later(self.limits.body_seconds, self.transport.close)


class Server(uvicorn.Server):
    """uvicorn's, which would wait for streams without end, or cut them without a word.

    When it is told to stop, it takes no further connections and resets none; answers go on for `grace` seconds,
    resumable ones without a client too, and those that have not ended then end in their own protocol's words.

    Args:
        gateway: What it serves.
        settings: The gateway's.
        started: Called with the URL once connections are taken.
    """

    def __init__(
        self, gateway: Gateway, settings: Settings, started: Callable[[str], object] = lambda _url: None
    ) -> None:
        self._protocol = type("Protocol", (Protocol,), {"limits": settings.limits})
        config = uvicorn.Config(
            gateway,
            http=self._protocol,
            ws="none",
            lifespan="off",
            proxy_headers=False,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=settings.grace + _FAREWELL_SECONDS,  # type: ignore[arg-type]  # waited for as it is
        )
        super().__init__(config)
        self._gateway = gateway
        self._settings = settings
        self._notify = started

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, and serve until a signal comes.

        Raises:
            ConfigurationError: The address is not this machine's, or is taken.
        """
        super().run(sockets or [listen(self._settings)])

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Take connections, and say so."""
        await super().startup(sockets)
        for each in sockets or ():
            self._notify(url_of(each))

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take no further connections, and see the answers to their end."""
        farewell = asyncio.ensure_future(self._farewell())
        began = time.monotonic()
        try:
            await self._take_last(sockets or ())
            await super().shutdown(sockets)
        finally:
            farewell.cancel()
            await self._gateway.aclose(max(0.0, self._settings.grace - (time.monotonic() - began)))

    async def _take_last(self, sockets: Iterable[socket.socket]) -> None:
        """Stop listening, and take those who have connected already: to close the socket would reset them."""
        late = [client for listening in sockets for client in _waiting(listening)]
        for server in self.servers:
            server.close()
        protocol = partial(
            self._protocol, config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )
        for client in late:
            await asyncio.get_running_loop().connect_accepted_socket(protocol, client)

    async def _farewell(self) -> None:
        await asyncio.sleep(self._settings.grace)
        await self._gateway.farewell()


def _waiting(listening: socket.socket) -> Iterator[socket.socket]:
    """Accept the connections that nobody has accepted yet."""
    with suppress(OSError):  # there are no more, or no more can be taken
        while True:
            yield listening.accept()[0]


def listen(settings: Settings) -> socket.socket:
    """Return a socket that is bound to the gateway's address.

    Raises:
        ConfigurationError: The address is not this machine's, or is taken.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listening = socket.socket(family, kind, protocol)
        try:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(address)
        except BaseException:
            listening.close()
            raise
    except OSError as error:
        raise ConfigurationError(
            f"cannot listen on {settings.host} port {settings.port}: {error.strerror or error}"
        ) from error
    return listening


def url_of(listening: socket.socket) -> str:
    """Return the URL of a socket that is listened on."""
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def log_to_stderr(level: int) -> None:
    """Write the logs of the gateway, of streamkit and of uvicorn to stderr, as lines of JSON."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    for name in ("streamkit", "uvicorn.error", "asyncio"):
        each = logging.getLogger(name)
        each.addHandler(handler)
        each.setLevel(level if name == "streamkit" else logging.WARNING)
        each.propagate = False
    if level > logging.DEBUG:  # the words of errors, which are in the gateway's own lines by their kind
        logging.getLogger("streamkit.web").setLevel(logging.CRITICAL)
    # A broken connection is how a text stream says that it failed, which uvicorn takes for a mistake.
    logging.getLogger("uvicorn.error").addFilter(lambda record: "without completing response" not in record.msg)
