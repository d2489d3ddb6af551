"""A proxy on loopback that makes a good connection a bad one."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable
from contextlib import suppress
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import urlsplit

import attrs

from streamkit.errors import ConfigurationError
from streamkit.testing.emulator.listener import Background, Listen

READ: Final = 2**16
"""Most bytes that are read at a time."""


def _positive(_: object, attribute: attrs.Attribute[Any], value: Any) -> None:
    if value is not None and not value > 0:
        raise ConfigurationError(f"{attribute.name} is {value!r}: give a number above 0, or leave it out")


@attrs.define(eq=False)
class ChaosProxy:
    """A TCP proxy in a thread of its own; what it does happens to the bytes from the server to the client.

        with EmulatedEndpoint() as server, ChaosProxy(server.url, slice_bytes=7, latency=0.01) as proxy:
            ...  # any client, on proxy.url

    1. It knows nothing of HTTP: bytes go through as they are, as far as they go.
    2. A client or server that closes its side is told to the other one, unless the connection is half open.
    3. Leaving the block closes every connection; nothing is left behind.

    Args:
        upstream: URL of the server.
        latency: Seconds before each piece.
        slice_bytes: Largest piece, in bytes.
        bandwidth: Bytes in a second.
        reset_after: Reset the client's connection after this many bytes.
        half_open_after: After this many bytes, forward nothing more in either direction and close nothing: the other
            side is gone, and nobody says so.

    Raises:
        ConfigurationError: A number is not above 0.
    """

    upstream: str
    latency: float = attrs.field(default=0.0, kw_only=True)
    slice_bytes: int | None = attrs.field(default=None, validator=_positive, kw_only=True)
    bandwidth: float | None = attrs.field(default=None, validator=_positive, kw_only=True)
    reset_after: int | None = attrs.field(default=None, validator=_positive, kw_only=True)
    half_open_after: int | None = attrs.field(default=None, validator=_positive, kw_only=True)
    _background: Background | None = attrs.field(default=None, init=False, repr=False)

    @property
    def url(self) -> str:
        """Where clients connect, with the path of the server's URL.

        Raises:
            RuntimeError: It is not running.
        """
        if self._background is None:
            raise RuntimeError("the proxy is not running: use it in a with statement")
        return f"http://127.0.0.1:{self._background.port}{urlsplit(self.upstream).path}"

    def __enter__(self) -> Self:
        self._background = Background(self._serve, 0, "streamkit-chaos-proxy")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._background is not None:
            self._background.stop()
            self._background = None

    async def _serve(self, listen: Listen) -> None:
        connections: set[asyncio.Task[None]] = set()

        def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.get_running_loop().create_task(self._connection(reader, writer))
            connections.add(task)
            task.add_done_callback(connections.discard)

        listener = listen(lambda: asyncio.StreamReaderProtocol(asyncio.StreamReader(), connected))
        await listener.stopped.wait()
        await listener.close()
        for task in connections:
            task.cancel()
        await asyncio.gather(*connections, return_exceptions=True)

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        parts = urlsplit(self.upstream)
        try:
            # A small window to the server: one that sends to a client that does not read is soon held back.
            server = await asyncio.open_connection(parts.hostname, parts.port, limit=READ)
        except OSError:
            writer.transport.abort()
            return
        half_open = asyncio.Event()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(_pass(server[0], _Bad(self, writer, half_open).write, writer))
                group.create_task(_pass(reader, _Good(server[1], half_open).write, server[1]))
        except* OSError:
            pass  # a side is gone, and the other one hears of it below
        finally:
            writer.transport.abort()
            server[1].transport.abort()


class _Good:
    """The way from the client to the server."""

    def __init__(self, writer: asyncio.StreamWriter, half_open: asyncio.Event) -> None:
        self._writer = writer
        self._half_open = half_open

    async def write(self, data: bytes) -> None:
        if not self._half_open.is_set():
            self._writer.write(data)
            await self._writer.drain()


class _Bad:
    """The way from the server to the client."""

    def __init__(self, proxy: ChaosProxy, writer: asyncio.StreamWriter, half_open: asyncio.Event) -> None:
        self._proxy = proxy
        self._writer = writer
        self._half_open = half_open
        self._sent = 0

    async def write(self, data: bytes) -> None:
        size = self._proxy.slice_bytes or len(data)
        for start in range(0, len(data), size):
            await self._piece(data[start : start + size])

    async def _piece(self, piece: bytes) -> None:
        proxy = self._proxy
        if proxy.latency:
            await asyncio.sleep(proxy.latency)
        limits = [limit for limit in (proxy.reset_after, proxy.half_open_after) if limit is not None]
        piece = piece[: min(limits, default=self._sent + len(piece)) - self._sent]
        self._writer.write(piece)
        await self._writer.drain()
        self._sent += len(piece)
        if proxy.bandwidth:
            await asyncio.sleep(len(piece) / proxy.bandwidth)
        if self._sent == proxy.reset_after:
            # Closing resets a connection that has nothing to linger for.
            linger = struct.pack("ii", 1, 0)
            self._writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self._writer.transport.abort()
            raise ConnectionResetError
        if self._sent == proxy.half_open_after:
            self._half_open.set()
            await asyncio.get_running_loop().create_future()  # until the proxy stops


async def _pass(
    reader: asyncio.StreamReader, write: Callable[[bytes], Awaitable[None]], writer: asyncio.StreamWriter
) -> None:
    while data := await reader.read(READ):
        await write(data)
    with suppress(OSError):
        writer.write_eof()
