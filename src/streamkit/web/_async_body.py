"""The body of a response on asyncio: pieces of bytes, whenever there is something to say."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import Self

from streamkit.drivers.asynchronous import AsyncStream
from streamkit.web._answer import Answer
from streamkit.web._response import Setup
from streamkit.web._thread import ThreadReader, too_slow


class AsyncBody:
    """The body of one response, to be iterated once.

    1. `open` reads the stream until there is something to send, and `answer.refusal` tells then whether that is an
       error; a source that is silent for the keep-alive interval opens it as well.
    2. Iterating gives everything that was said since the last piece, and keep-alives where nothing was.
    3. Stops at the end, raises what must break the connection, and stops without a word once it is closed.
    4. Costs one task, or one thread for a synchronous stream, and one timer; a token costs one wake-up at most.

    Args:
        answer: What to send.
        setup: The stream, and the limits in seconds.

    Attributes:
        taken: When the last piece was, by the loop's clock.
    """

    def __init__(self, answer: Answer, setup: Setup) -> None:
        self._answer = answer
        self._setup = setup
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._waiting: asyncio.Future[None] | None = None
        self._room: asyncio.Future[None] | None = None
        self._reader: asyncio.Task[None] | ThreadReader
        self.taken = self._loop.time()
        self._timer = self._loop.call_later(setup.keep_alive, self._tick) if setup.pings else None
        answer.wake = self._wake

    async def open(self) -> None:
        """Begin to read, and wait until it is known what the response is.

        Raises:
            Exception: There is no response, not even a refusal.
        """
        stream = self._setup.stream
        if isinstance(stream, AsyncStream):
            self._reader = self._loop.create_task(self._read(stream))
        else:
            self._reader = ThreadReader(stream, self._answer, self._setup.send_timeout)
            self._reader.start()
        while not self._answer.ready:
            await self._change()
        self._answer.check()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        answer = self._answer
        while not answer.ready:
            await self._change()
        data = answer.take()
        self.taken = self._loop.time()
        if self._room is not None and not self._room.done():
            self._room.set_result(None)
        if data:
            return data
        if answer.failure is not None and not answer.dropped:
            raise answer.failure
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """Leave the stream, and wait until its source is closed; after the end it does nothing."""
        self._answer.drop()
        if self._timer is not None:
            self._timer.cancel()
        if isinstance(self._reader, ThreadReader):
            self._reader.close()
            return
        self._reader.cancel()
        await asyncio.wait([self._reader])
        if isinstance(self._setup.stream, AsyncStream):  # a task cancelled before its first step never entered it
            await self._setup.stream.aclose()

    async def _read(self, stream: AsyncStream) -> None:
        answer = self._answer
        failure: Exception | None = None
        try:
            try:
                async with stream:
                    async for event in stream.events():
                        answer.feed(event)
                        if answer.full:
                            await self._wait_for_room()
            except Exception as error:  # noqa: BLE001 - the run has it; a sink, a hook or the encoder may raise anything
                failure = error
            answer.end(stream.result, failure)
        finally:
            answer.cut()

    async def _wait_for_room(self) -> None:
        self._room = self._loop.create_future()
        try:
            async with asyncio.timeout(self._setup.send_timeout):
                await self._room
        except TimeoutError:
            raise too_slow(self._setup.send_timeout) from None

    def _change(self) -> asyncio.Future[None]:
        """Return what is done once the answer has changed. No coroutine of its own: it is waited for at each token."""
        self._waiting = self._loop.create_future()
        return self._waiting

    def _wake(self) -> None:
        if threading.get_ident() == self._thread:
            self._awake()
        else:
            with contextlib.suppress(RuntimeError):  # the loop is closed
                self._loop.call_soon_threadsafe(self._awake)

    def _awake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    def _tick(self) -> None:
        """Keep a silent connection alive. One timer for a response, not one for a token: it rings, and looks."""
        left = self.taken + self._setup.keep_alive - self._loop.time()
        if left <= 0 and self._waiting is not None and not self._waiting.done():
            self._answer.keep_alive()
            left = self._setup.keep_alive
        if not self._answer.ended:
            self._timer = self._loop.call_later(max(left, 0.01), self._tick)
