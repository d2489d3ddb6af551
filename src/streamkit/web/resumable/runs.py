"""Runs that go on without a client: started here, read from anywhere, stopped by a wish and by nothing else."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Final, Literal, TypeAlias

import attrs

from streamkit.drivers.asynchronous import AsyncStream
from streamkit.errors import ConfigurationError, StoreError, StreamGoneError, StreamRunningError
from streamkit.protocols import Encoder
from streamkit.stores import LogReader, Stopped, StreamStore, parse_position
from streamkit.web.resumable.producing import head_of, produce

Taken: TypeAlias = Literal["refuse", "attach", "replace"]
"""What to do with a request whose id is taken; see `ResumableRuns.start`."""

_REPLACING: Final = 30.0
"""How long a run that is to be replaced has to end, in seconds."""


@attrs.frozen
class Started:
    """What became of a wish to run.

    Args:
        reader: Reads the stream that is kept under the id, from its first entry on.
        run: The task of the run; `None` where it is another run's stream that is read.
    """

    reader: LogReader
    run: asyncio.Task[None] | None


class ResumableRuns:
    """The resumable runs of one server process.

    A run belongs to this process, not to the request that started it: when the client leaves, it goes on. Its log is in
    the store, where any process that shares the store can read and stop it.

    Args:
        store: Where the logs are kept.
    """

    def __init__(self, store: StreamStore) -> None:
        self.store = store
        self._running: set[asyncio.Task[None]] = set()

    async def start(self, stream_id: str, stream: AsyncStream, encoder: Encoder, *, taken: Taken = "refuse") -> Started:
        """Start a run, and read it. The stream is closed if it is not the one that runs.

        Args:
            stream_id: The id to keep it under, at most 256 characters. Whoever knows it can read and stop the stream:
                put the caller's name into it where there are several.
            stream: The run; not iterated yet.
            encoder: Writes it; not used yet.
            taken: If a run under this id goes on: `"refuse"` raises; `"replace"` stops it and takes its place, as a
                second question in one conversation does. `"attach"` reads what is kept under the id, also if it has
                ended, as a request that is sent again because its response was lost wants.

        Returns:
            A reader, and the run.

        Raises:
            ConfigurationError: The id is empty or too long.
            StreamRunningError: The id is taken.
            StoreError: The store does not answer; nothing was asked.
        """
        if not 0 < len(stream_id) <= 256:
            raise ConfigurationError("the id of a stream has 1 to 256 characters")
        try:
            if taken == "attach":
                try:
                    return await self._attach(stream_id, stream)
                except StreamGoneError:
                    pass
            while True:
                try:
                    log = await self.store.open(stream_id, head_of(encoder))
                    break
                except StreamRunningError:
                    if taken == "refuse":
                        raise
                    if taken == "attach":
                        return await self._attach(stream_id, stream)
                    await self._end(stream_id)
            try:
                reader = await self.store.read(stream_id)
            except BaseException:
                with suppress(StoreError):  # else it is declared dead in time, as that of a lost process is
                    await log.end("failed")
                raise
        except BaseException:
            await stream.aclose()
            raise
        task = asyncio.create_task(produce(stream, encoder, log), name=f"resumable {stream_id}")
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return Started(reader, task)

    async def read(self, stream_id: str, last_event_id: str | None = None) -> LogReader:
        """Read a stream from its beginning, or from the event after the last one that the client has.

        Args:
            stream_id: Its id.
            last_event_id: What the client sent as `Last-Event-ID`; `None` or empty for everything.

        Raises:
            StreamGoneError: There is no such stream or event, or not any more: status 410, or 204 to the AI SDK.
            StoreError: The store does not answer.
        """
        if not last_event_id:
            return await self.store.read(stream_id)
        after = parse_position(last_event_id)
        if after is None:
            raise StreamGoneError(f"{last_event_id!r} is no id of an event of ours")
        return await self.store.read(stream_id, after)

    async def stop(self, stream_id: str) -> Stopped:
        """Stop a run, wherever it runs; see `StreamStore.stop`."""
        return await self.store.stop(stream_id)

    async def aclose(self, grace: float = 0.0) -> None:
        """Let the runs of this process end, and then end those that have not.

        Each of them gets its ending in the log: `failed`, if it was ended here. The store stays open.

        Args:
            grace: How long they may take, in seconds.
        """
        if self._running and grace > 0:
            await asyncio.wait(self._running, timeout=grace)
        await asyncio.sleep(0)  # a task that is cancelled before its first step would leave a log without its end
        running = tuple(self._running)
        for task in running:
            task.cancel()
        if running:
            await asyncio.wait(running)

    async def _attach(self, stream_id: str, stream: AsyncStream) -> Started:
        reader = await self.store.read(stream_id)
        await stream.aclose()
        return Started(reader, None)

    async def _end(self, stream_id: str) -> None:
        """Stop a run and wait until its log has ended."""
        try:
            async with asyncio.timeout(_REPLACING):
                await self.store.stop(stream_id)
                async for _ in await self.store.read(stream_id):
                    pass
        except StreamGoneError:
            return
        except TimeoutError as error:
            raise StoreError(
                f"the run under the id {stream_id!r} did not stop within {_REPLACING:g} seconds"
            ) from error
