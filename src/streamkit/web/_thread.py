"""A stream read in a thread of its own, for a server that cannot read it where it sends."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import threading

from streamkit.drivers.asynchronous import AsyncStream
from streamkit.drivers.sync import Stream
from streamkit.errors import SinkError
from streamkit.web._answer import Answer


class ThreadReader:
    """Reads one stream, of either colour, into an answer.

    1. Waits while the answer is full; a client that takes nothing for `send_timeout` seconds ends the run.
    2. Ends the answer when the stream ends, in whatever way.
    3. `close` ends the run at once, also while the source is silent, and does not wait for it.
    4. Costs one thread, and the application's context variables are seen in it.
    """

    def __init__(self, stream: Stream | AsyncStream, answer: Answer, send_timeout: float) -> None:
        self._stream = stream
        self._answer = answer
        self._send_timeout = send_timeout
        self._reading = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to read."""
        context = contextvars.copy_context()
        threading.Thread(target=context.run, args=(self._run,), name="streamkit-response", daemon=True).start()

    def close(self) -> None:
        """Leave the stream; what is said of it from now on is forgotten."""
        self._answer.drop()
        if isinstance(self._stream, Stream):
            for _ in range(2):  # the generator may begin to run between the look at it and the call
                if self._reading:
                    with contextlib.suppress(ValueError):
                        self._stream.close()
        elif self._loop is not None and self._task is not None:
            with contextlib.suppress(RuntimeError):  # the loop is closed: the run is over
                self._loop.call_soon_threadsafe(self._task.cancel)

    def _run(self) -> None:
        try:
            if isinstance(self._stream, Stream):
                self._read(self._stream)
            else:
                with contextlib.suppress(asyncio.CancelledError):
                    asyncio.run(self._aread(self._stream))
        finally:
            self._answer.cut()

    def _read(self, stream: Stream) -> None:
        failure: Exception | None = None
        try:
            with stream:
                events = stream.events()
                while True:
                    self._reading = True
                    if self._answer.dropped:
                        break
                    event = next(events, None)
                    self._reading = False
                    if event is None:
                        break
                    self._answer.feed(event)
                    self._wait_for_room()
        except Exception as error:  # noqa: BLE001 - the run has it; a sink, a hook or the encoder may raise anything
            failure = error
        if not self._answer.dropped:
            self._answer.end(stream.result, failure)

    async def _aread(self, stream: AsyncStream) -> None:
        self._loop, self._task = asyncio.get_running_loop(), asyncio.current_task()
        failure: Exception | None = None
        try:
            async with stream:
                left = self._answer.dropped  # by a `close` that knew of no task yet
                if left:
                    return
                async for event in stream.events():
                    self._answer.feed(event)
                    self._wait_for_room()  # it blocks the loop, which has nothing to do but this
                    if self._answer.dropped:
                        break
        except Exception as error:  # noqa: BLE001 - as above
            failure = error
        if not self._answer.dropped:
            self._answer.end(stream.result, failure)

    def _wait_for_room(self) -> None:
        answer = self._answer
        if answer.full and not answer.wait_for(lambda: answer.ended or not answer.full, self._send_timeout):
            raise too_slow(self._send_timeout)


def too_slow(seconds: float) -> SinkError:
    """Return the error of a client that takes nothing."""
    return SinkError(f"the client took nothing for {seconds:g} s")
