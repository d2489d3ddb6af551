"""The store of one process: logs in memory, gone with it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from typing import Final

import attrs

from streamkit.errors import LimitExceededError, StreamGoneError, StreamRunningError
from streamkit.stores import Ending, LogEntry, LogHead, LogReader, Position, Stopped, StreamLog

_AT_ONCE: Final = 256
"""Most entries of one batch, so that a reader that comes late does not get a whole stream in one piece."""

ENTRY_BYTES: Final = 150
"""What an entry takes besides its data: many have no more than two bytes."""

_WISHES: Final = 10_000
"""Most stops that wait for a run which has not begun."""


class _Log:
    """One run's entries, and who waits for more."""

    def __init__(self, store: MemoryStore, stream_id: str, head: LogHead, epoch: int) -> None:
        self._store = store
        self._news = asyncio.Event()
        self.stream_id = stream_id
        self.head = head
        self.epoch = epoch
        self.entries: list[LogEntry] = []
        self.size = 0
        self.ended = False
        self.stop = asyncio.Event()

    async def append(self, data: Sequence[bytes]) -> None:
        limit = self._store.max_stream_bytes
        if self.size + sum(map(len, data)) > limit:
            raise LimitExceededError(
                f"stream {self.stream_id!r} is larger than {limit} bytes: raise max_stream_bytes of its store, or "
                "limit the answer"
            )
        self._add([LogEntry(self.epoch, seq, each) for seq, each in enumerate(data, len(self.entries) + 1)])

    async def end(self, ending: Ending, data: Sequence[bytes] = ()) -> None:
        if self.ended:
            return
        *rest, last = data or (b"",)
        seq = len(self.entries) + 1
        entries = [LogEntry(self.epoch, seq + place, each) for place, each in enumerate(rest)]
        self.ended = True
        self._add([*entries, LogEntry(self.epoch, seq + len(rest), last, ending)])
        self._store.retire(self)

    async def stop_requested(self) -> None:
        await self.stop.wait()

    async def news(self, place: int) -> None:
        """Return once there are entries after a place, or the log has ended."""
        while len(self.entries) <= place and not self.ended:
            await self._news.wait()

    @property
    def memory(self) -> int:
        """About how many bytes it takes."""
        return self.size + ENTRY_BYTES * len(self.entries)

    def _add(self, entries: Sequence[LogEntry]) -> None:
        self.entries += entries
        self.size += sum(len(entry.data) for entry in entries)
        news, self._news = self._news, asyncio.Event()
        news.set()


class _Reader:
    """A place in a log. It holds the log itself, so what it has begun to read it can read to the end."""

    __slots__ = ("_log", "_place")

    def __init__(self, log: _Log, place: int) -> None:
        self._log = log
        self._place = place

    @property
    def head(self) -> LogHead:
        return self._log.head

    @property
    def ended(self) -> bool:
        return self._log.ended and self._place >= len(self._log.entries)

    def __aiter__(self) -> AsyncIterator[Sequence[LogEntry]]:
        return self

    async def __anext__(self) -> Sequence[LogEntry]:
        await self._log.news(self._place)
        entries = self._log.entries[self._place : self._place + _AT_ONCE]
        if not entries:
            raise StopAsyncIteration
        self._place += len(entries)
        return entries


@attrs.define(kw_only=True, eq=False)
class MemoryStore:
    """Keeps resumable streams in the memory of this process, for one server process on one event loop.

    Runs that go on are always kept. Of those that have ended, the oldest make room when there are too many or they are
    too large; a reader that has begun reads on to the end all the same.

    Args:
        ttl: How long a stream is kept after its end, in seconds.
        max_streams: Most streams that have ended.
        max_bytes: Most bytes of memory, about, for all streams that have ended.
        max_stream_bytes: Most bytes of one stream; a larger one fails with `LimitExceededError`.
        stop_patience: How long a wish to stop waits for a run that has not begun, in seconds.
    """

    ttl: float = attrs.field(default=3600.0, validator=attrs.validators.gt(0))
    max_streams: int = attrs.field(default=1000, validator=attrs.validators.gt(0))
    max_bytes: int = attrs.field(default=64 * 2**20, validator=attrs.validators.gt(0))
    max_stream_bytes: int = attrs.field(default=4 * 2**20, validator=attrs.validators.gt(0))
    stop_patience: float = attrs.field(default=30.0, validator=attrs.validators.gt(0))
    _logs: dict[str, _Log] = attrs.field(init=False, repr=False, factory=dict)
    _ended: dict[_Log, asyncio.TimerHandle] = attrs.field(init=False, repr=False, factory=dict)  # oldest end first
    _ended_bytes: int = attrs.field(init=False, repr=False, default=0)
    _wishes: dict[str, float] = attrs.field(init=False, repr=False, factory=dict)
    _epoch: int = attrs.field(init=False, repr=False, default=0)

    async def open(self, stream_id: str, head: LogHead) -> StreamLog:
        """Begin the log of a run; see `StreamStore.open`."""
        former = self._logs.get(stream_id)
        if former is not None:
            if not former.ended:
                raise StreamRunningError(f"a run under the id {stream_id!r} goes on: read it, or stop it first")
            self._forget(former)
        # Milliseconds since 1970: the ids of a process that ran before this one must not fit.
        self._epoch = max(self._epoch + 1, time.time_ns() // 1_000_000)
        log = self._logs[stream_id] = _Log(self, stream_id, head, self._epoch)
        if self._wishes.pop(stream_id, 0.0) > time.monotonic():
            log.stop.set()
        return log

    async def read(self, stream_id: str, after: Position | None = None) -> LogReader:
        """Read a log and follow it; see `StreamStore.read`."""
        log = self._logs.get(stream_id)
        if log is None:
            raise StreamGoneError(f"no stream is kept under the id {stream_id!r}")
        epoch, seq = after or (log.epoch, 0)
        if epoch != log.epoch or seq > len(log.entries):
            raise StreamGoneError(f"the stream under the id {stream_id!r} has no entry {epoch}-{seq}, or not any more")
        return _Reader(log, seq)

    async def stop(self, stream_id: str) -> Stopped:
        """Ask the run under an id to stop; see `StreamStore.stop`."""
        log = self._logs.get(stream_id)
        if log is None:
            self._wishes.pop(stream_id, None)
            self._wishes[stream_id] = time.monotonic() + self.stop_patience
            if len(self._wishes) > _WISHES:
                del self._wishes[next(iter(self._wishes))]
            return "pending"
        if log.ended:
            return "ended"
        log.stop.set()
        return "stopping"

    async def aclose(self) -> None:
        """Forget the streams that have ended."""
        for log in tuple(self._ended):
            self._forget(log)

    def retire(self, log: _Log) -> None:
        """Keep a log that has ended for its time, and let the oldest go that there is no room for."""
        self._ended[log] = asyncio.get_running_loop().call_later(self.ttl, self._forget, log)
        self._ended_bytes += log.memory
        while len(self._ended) > self.max_streams or self._ended_bytes > self.max_bytes:
            self._forget(next(iter(self._ended)))

    def _forget(self, log: _Log) -> None:
        timer = self._ended.pop(log, None)
        if timer is not None:
            timer.cancel()
            self._ended_bytes -= log.memory
            del self._logs[log.stream_id]
