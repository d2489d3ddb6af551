"""A listening socket that loses no connection when it closes, and a thread for a server to run in.

asyncio's own server forgets a connection that was accepted in the moment it is closed: the socket leaks until it is
collected, and the event loop logs a traceback. Tests start and stop endpoints all the time and see it.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, TypeAlias

ProtocolFactory: TypeAlias = Callable[[], asyncio.BaseProtocol]


class Listener:
    """Accepts connections on a port of the loopback interface; lives in an event loop.

    Args:
        factory: Makes the protocol of each connection.
        port: The port; 0 for a free one.

    Attributes:
        stopped: Set when the server is to end.
    """

    def __init__(self, factory: ProtocolFactory, port: int = 0) -> None:
        self._factory = factory
        self._loop = asyncio.get_running_loop()
        self._accepting: set[asyncio.Task[None]] = set()
        self.stopped = asyncio.Event()
        self._socket = socket.create_server(("127.0.0.1", port), backlog=1024)
        self._socket.settimeout(0)
        self.port: int = self._socket.getsockname()[1]
        self._loop.add_reader(self._socket, self._accept)

    async def close(self) -> None:
        """Accept no more connections, and finish accepting the last ones."""
        self._loop.remove_reader(self._socket)
        self._socket.close()
        if self._accepting:
            await asyncio.wait(self._accepting)

    def _accept(self) -> None:
        try:
            connection, _ = self._socket.accept()
        except OSError:  # the client has gone again
            return
        connection.settimeout(0)
        task = self._loop.create_task(self._connect(connection))
        self._accepting.add(task)
        task.add_done_callback(self._accepting.discard)

    async def _connect(self, connection: socket.socket) -> None:
        await self._loop.connect_accepted_socket(self._factory, connection)


Listen: TypeAlias = Callable[[ProtocolFactory], Listener]
"""Opens the port of a server that runs in the background."""


class Background:
    """A server in a thread and an event loop of its own.

    Args:
        serve: The server: called in the thread, it listens once and returns after `Listener.stopped` was set.
        port: The port to listen on; 0 for a free one.
        name: The thread's name.

    Raises:
        OSError: The port cannot be opened.
    """

    def __init__(self, serve: Callable[[Listen], Coroutine[Any, Any, None]], port: int, name: str) -> None:
        self._serve = serve
        self._wanted = port
        self._ready: Future[tuple[asyncio.AbstractEventLoop, Listener]] = Future()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()
        self.loop, self._listener = self._ready.result()
        self.port = self._listener.port

    def stop(self) -> None:
        """End the server and its thread."""
        self.loop.call_soon_threadsafe(self._listener.stopped.set)
        self._thread.join()

    def _run(self) -> None:
        try:
            asyncio.run(self._serve(self._listen))
        except BaseException as error:  # the starter is told; after that nobody listens, and it must not go unseen
            if self._ready.done():
                raise
            self._ready.set_exception(error)

    def _listen(self, factory: ProtocolFactory) -> Listener:
        listener = Listener(factory, self._wanted)
        self._ready.set_result((asyncio.get_running_loop(), listener))
        return listener
