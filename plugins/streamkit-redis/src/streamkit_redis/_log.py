"""The writing end of one run: entries wait here for the next batch, and readers get them once Redis has them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Final, Literal, TypeAlias

from streamkit import FencedError, LimitExceededError, LogEntry, StoreError

from streamkit_redis._tail import Tail
from streamkit_redis._wire import Keys, marker_of

logger = logging.getLogger("streamkit.redis")

OnFailure: TypeAlias = Literal["fail", "degrade"]
"""What becomes of a run when Redis has failed for good; see `RedisStore`."""

Ending: TypeAlias = Literal["finished", "failed", "stopped", "lost"]

_WAITING: Final = 256
"""Entries that may wait for Redis before a run has to wait, too."""

_BATCH: Final = 512
"""Most entries of one run in one batch."""


class RedisLog:
    """The log of one run of this process.

    1. Holds entries until Redis has acknowledged them, and only then hands them to this process's readers.
    2. Makes the run wait when more than 256 entries wait.
    3. Stops for good when another has declared the run dead, or when Redis has failed for good. The run hears of it as
       of a wish to stop, so that its source is closed.

    Args:
        tail: Whom the run's readers in this process listen to.
        keys: Where it is kept.
        limit: Most bytes.
        on_failure: What to do when Redis has failed for good.
        notify: Called when there is something to write.
    """

    def __init__(
        self, tail: Tail, keys: Keys, *, limit: int, on_failure: OnFailure, notify: Callable[[RedisLog], None]
    ) -> None:
        self.tail = tail
        self.keys = keys
        self.stop = asyncio.Event()
        self.heard = "0-0"  # the last wish to stop that was read
        self._limit = limit
        self._on_failure: OnFailure = on_failure
        self._notify = notify
        self._pending: list[LogEntry] = []
        self._seq = 0
        self._size = 0
        self._moved = asyncio.Event()
        self._error: StoreError | None = None
        self._degraded = False

    @property
    def live(self) -> bool:
        """Whether Redis is still to hear of this run: its entries, and that its producer lives."""
        return self._error is None and not self._degraded and not self.tail.ended

    async def append(self, data: Sequence[bytes]) -> None:
        """Add entries; see `StreamLog.append`."""
        self._check()
        size = sum(map(len, data))
        if self._size + size > self._limit:
            raise LimitExceededError(
                f"stream {self.tail.stream_id!r} is larger than {self._limit} bytes: raise max_stream_bytes of its "
                "store, or limit the answer"
            )
        self._size += size
        self._put([LogEntry(self.tail.epoch, self._seq + place, each) for place, each in enumerate(data, 1)])
        while len(self._pending) > _WAITING:
            await self._progress()

    async def end(self, ending: Ending, data: Sequence[bytes] = ()) -> None:
        """Add the last entries, and wait until they are kept; see `StreamLog.end`."""
        self._check()
        *rest, last = data or (b"",)
        epoch, seq = self.tail.epoch, self._seq + 1
        entries = [LogEntry(epoch, seq + place, each) for place, each in enumerate(rest)]
        self._put([*entries, LogEntry(epoch, seq + len(rest), last, ending)])
        while self._pending:
            await self._progress()

    async def stop_requested(self) -> None:
        """Wait for a wish to stop; see `StreamLog.stop_requested`."""
        await self.stop.wait()

    def batch(self) -> Sequence[LogEntry]:
        """Return the entries to write next; they stay until `acknowledge`."""
        return self._pending[:_BATCH]

    def acknowledge(self, count: int) -> None:
        """So many entries are kept: hand them to the readers."""
        kept, self._pending = self._pending[:count], self._pending[count:]
        if kept:
            self.tail.publish(kept)
        if self._pending:
            self._notify(self)
        self._move()

    def fence(self) -> None:
        """Another has declared this run dead: nothing more of it is written or shown."""
        self._abandon(
            FencedError(
                f"the run of stream {self.tail.stream_id!r} was silent for longer than its lease, and was declared dead"
            )
        )

    def give_up(self, error: StoreError) -> None:
        """Redis has failed for good, or has lost what was written."""
        if self._on_failure == "fail":
            self._abandon(error)
            return
        logger.warning("stream %r goes on without being kept: %s", self.tail.stream_id, error)
        self._degraded = True
        self.acknowledge(len(self._pending))

    def _abandon(self, error: StoreError) -> None:
        self._error = error
        self._pending.clear()
        self.tail.publish([marker_of(self.tail.epoch, self.tail.head.will)])
        self.stop.set()
        self._move()

    def _put(self, entries: Sequence[LogEntry]) -> None:
        self._seq += len(entries)
        self._pending += entries
        if self._degraded:
            self.acknowledge(len(self._pending))
        else:
            self._notify(self)

    async def _progress(self) -> None:
        await self._moved.wait()
        self._check()

    def _move(self) -> None:
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()

    def _check(self) -> None:
        if self._error is not None:
            raise self._error
