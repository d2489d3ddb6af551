"""The writing end: one run, read to its end whether or not anybody watches, and kept event by event."""

from __future__ import annotations

import asyncio
import copy
import logging
from collections.abc import Sequence

import attrs

from streamkit.drivers.asynchronous import AsyncStream
from streamkit.errors import FencedError, SourceError, StoreError, TruncatedStreamError
from streamkit.protocols import Encoder
from streamkit.request import Request
from streamkit.result import RunResult
from streamkit.run import Run
from streamkit.stores import Ending, LogHead, StreamLog

logger = logging.getLogger("streamkit.resumable")
errors = logging.getLogger("streamkit.web")  # where the words of errors go, which clients are not told

_ENDINGS: dict[str, Ending] = {"completed": "finished", "aborted": "stopped", "failed": "failed"}


def head_of(encoder: Encoder) -> LogHead:
    """Return what readers must know before the first entry.

    Args:
        encoder: The encoder of the stream, not yet used; it stays so.
    """
    lost = TruncatedStreamError("the process that produced this stream is gone")
    failed = Run(Request(prompt=""), ()).fail(lost)
    return LogHead(
        headers=dict(encoder.headers),
        keep_alive=encoder.keep_alive,
        will=copy.deepcopy(encoder).close(failed) or b"",
    )


async def produce(stream: AsyncStream, encoder: Encoder, log: StreamLog) -> None:
    """Read a stream to its end, and append to its log what an encoder makes of it.

    1. Nothing but a stop, a cancelled task or a log that cannot be written ends it before the stream's own end. A stop
       that came before the run was there means that nothing is asked.
    2. The log gets exactly one ending: `finished`, `stopped`, or `failed`; a task that is cancelled is `failed`. The
       encoder says it in the protocol's own words; what went wrong is logged.
    3. A run that was declared dead meanwhile ends at once and writes nothing more.
    4. The log begins with the run's first words, so that of a run that fails before them it has one batch, the ending.

    Args:
        stream: The run; not iterated yet. Its result is there afterwards.
        encoder: Writes it; not used yet.
        log: Where it goes.
    """
    await _Producer(stream, encoder, log).run()


class _Producer:
    def __init__(self, stream: AsyncStream, encoder: Encoder, log: StreamLog) -> None:
        self._stream = stream
        self._encoder = encoder
        self._log = log
        self._frames = _events if encoder.headers["content-type"].startswith("text/event-stream") else _whole
        self._begun = False

    async def run(self) -> None:
        stopping = asyncio.create_task(self._log.stop_requested())
        reading: asyncio.Task[None] | None = None
        shutdown: Exception | None = None
        try:
            await asyncio.wait({stopping}, timeout=0)
            if not stopping.done():
                reading = asyncio.create_task(self._read())
                await asyncio.wait({stopping, reading}, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            shutdown = SourceError("the server was shut down before the end of the answer", transient=True)
            raise
        finally:
            # Shielded: whoever cancels this task must not leave a log without its end.
            await asyncio.shield(asyncio.ensure_future(self._finish(stopping, reading, shutdown)))

    async def _read(self) -> None:
        async with self._stream as stream:
            async for event in stream.events():
                data = self._encoder.feed(event)
                if data:
                    if not self._begun:
                        self._begun = True
                        data = self._encoder.begin() + data
                    await self._log.append(self._frames(data))

    async def _finish(
        self, stopping: asyncio.Task[None], reading: asyncio.Task[None] | None, shutdown: Exception | None
    ) -> None:
        failure = await _ended(stopping)
        if reading is not None:
            failure = await _ended(reading) or failure
        await self._stream.aclose()  # where it was never read
        if isinstance(failure, FencedError):
            logger.warning("a resumable stream was declared dead while it ran: %s", failure)
            return
        result = self._stream.result
        if reading is None or reading.cancelled() or failure is not None:
            # The log lacks something, whatever became of the run.
            failure = result.error or failure or shutdown
            result = attrs.evolve(result, outcome="failed" if failure else "aborted", error=failure)
        if result.error is not None:
            errors.error("a resumable stream failed: %s: %r", type(result.error).__name__, str(result.error))
        try:
            await self._log.end(*self._ending(result))
        except StoreError as unwritten:
            logger.warning("the end of a resumable stream could not be kept: %s", unwritten)

    def _ending(self, result: RunResult) -> tuple[Ending, Sequence[bytes]]:
        try:
            closing = self._encoder.close(result)
            if closing is not None and not self._begun:
                closing = self._encoder.begin() + closing
        except Exception:  # noqa: BLE001 - an application's own mask may raise anything
            errors.exception("the end of a resumable stream could not be written")
            return "failed", ()
        return _ENDINGS[result.outcome], self._frames(closing or b"")


async def _ended(task: asyncio.Task[None]) -> Exception | None:
    """Cancel a task, wait for its end, and return what it raised of its own."""
    task.cancel()
    await asyncio.wait({task})
    error = None if task.cancelled() else task.exception()
    return error if isinstance(error, Exception) else None


def _events(data: bytes) -> Sequence[bytes]:
    """Cut server-sent events apart: each is an entry, with an id of its own."""
    return [event + b"\n\n" for event in data.split(b"\n\n") if event]


def _whole(data: bytes) -> Sequence[bytes]:
    return [data] if data else []
