"""What this process knows of a run's newest entries, shared by all who read it here."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeAlias

from streamkit import LogEntry, LogHead, StoreError, StreamGoneError

_KEPT: Final = 64
"""Entries that are held for readers that are a little behind; at times twice as many."""

AT_ONCE: Final = 256
"""Most entries that are read from Redis at once, for one stream."""


class Tail:
    """The newest entries of one run, for any number of readers.

    1. Holds the last entries only. A reader that is further behind reads from Redis until it has caught up, so that a
       slow one costs nothing but its own time.
    2. Wakes all readers when entries come, and tells each of them where it stands.
    3. Ends with the entry that has an ending; or breaks, when Redis has failed for good or no longer has what follows.

    Args:
        stream_id: The stream.
        epoch: The run.
        head: What is known of it.
        size: Entries that are in Redis already.
        ended: Whether the last of them has the ending.
    """

    __slots__ = (
        "__weakref__",
        "_entries",
        "_first",
        "_news",
        "broken",
        "ended",
        "epoch",
        "head",
        "heard",
        "size",
        "stream_id",
    )

    def __init__(self, stream_id: str, epoch: int, head: LogHead, size: int = 0, *, ended: bool = False) -> None:
        self.stream_id = stream_id
        self.epoch = epoch
        self.head = head
        self.size = size
        self.ended = ended
        self.broken: StoreError | None = None
        self.heard = time.monotonic()
        self._first = size
        self._entries: list[LogEntry] = []
        self._news = asyncio.Event()

    def publish(self, entries: Sequence[LogEntry]) -> None:
        """Add entries that are kept; those that are known already are passed over."""
        self.heard = time.monotonic()
        for entry in entries:
            if self.ended or (entry.end != "lost" and entry.seq <= self.size):
                continue
            if entry.end != "lost" and entry.seq != self.size + 1:
                self.fail(StreamGoneError(f"entries before {entry.id} of stream {self.stream_id!r} are gone"))
                return
            self._entries.append(entry)
            self.size += 1
            self.ended = entry.end is not None
        if len(self._entries) > 2 * _KEPT:
            del self._entries[:-_KEPT]
            self._first = self.size - _KEPT
        self._wake()

    def fail(self, error: StoreError) -> None:
        """Tell every reader that it cannot go on, once it has read what is held here."""
        if not self.ended and self.broken is None:
            self.broken = error
            self._wake()

    def after(self, place: int) -> Sequence[LogEntry] | None:
        """Return the entries after a place, none if there are none yet, and `None` if they are not held any more."""
        if place >= self.size:
            return ()
        return self._entries[place - self._first :] if place >= self._first else None

    async def news(self, place: int) -> None:
        """Return once there are entries after a place.

        Raises:
            StoreError: There will be none.
        """
        while self.size <= place:
            if self.broken is not None:
                raise self.broken
            await self._news.wait()

    def _wake(self) -> None:
        news, self._news = self._news, asyncio.Event()
        news.set()


Fetch: TypeAlias = Callable[[Tail, int], Awaitable[Sequence[LogEntry]]]
"""Reads entries of a run from Redis, after a place."""


class Reader:
    """One reader's place in a run; it holds the tail alive, and nothing else."""

    __slots__ = ("_fetch", "_place", "_tail", "ended")

    def __init__(self, tail: Tail, place: int, fetch: Fetch, *, ended: bool = False) -> None:
        self._tail = tail
        self._place = place
        self._fetch = fetch
        self.ended = ended

    @property
    def head(self) -> LogHead:
        """What was known before the first entry."""
        return self._tail.head

    def __aiter__(self) -> Reader:
        return self

    async def __anext__(self) -> Sequence[LogEntry]:
        if self.ended:
            raise StopAsyncIteration
        entries = self._tail.after(self._place)
        while not entries:
            if entries is None:
                entries = await self._fetch(self._tail, self._place)
                break
            await self._tail.news(self._place)
            entries = self._tail.after(self._place)
        self._place += len(entries)
        self.ended = entries[-1].end is not None
        return entries
