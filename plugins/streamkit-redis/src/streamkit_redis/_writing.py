"""The one task of a process that writes: what all its runs have to say, in one transaction at a time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from redis.exceptions import RedisError
from streamkit import LogEntry, StoreError

from streamkit_redis._cancelling import cancellations
from streamkit_redis._log import RedisLog
from streamkit_redis._wire import marker_of, run_of, write_entry

if TYPE_CHECKING:
    from redis.asyncio import Redis

_LOGS: Final = 100
"""Runs of one transaction, so that Redis is not kept from others for long."""

_PAUSE: Final = 0.1
"""Seconds between two tries while Redis does not answer."""


class Flusher:
    """Writes batches for the runs of this process, and renews their leases.

    1. Everything that waits goes out at once, and no sooner than `interval` after the last time: the first token waits
       for nothing, and a busy process writes for all its runs in one transaction.
    2. A transaction that failed is sent again as it is. Its ids are explicit: what was written already is refused, and
       that is what tells.
    3. Whenever the connection is a new one, and with each renewal, Redis is asked how many entries it has: a run whose
       log has lost some, because Redis was restarted without them, ends there.
    4. A run whose log has an entry of a later epoch was declared dead, and ends there.
    5. When Redis has not answered for `patience`, every run is told.

    Args:
        redis: A client with a connection of its own, to write with.
        interval: Seconds between two transactions.
        patience: Seconds to go on trying.
        lease: Seconds that a lease lasts; renewed three times as often.
        ttl: Seconds that a log lasts after its last renewal, or its end.
    """

    def __init__(self, redis: Redis, *, interval: float, patience: float, lease: float, ttl: float) -> None:
        self.logs: dict[str, RedisLog] = {}
        self._redis = redis
        self._interval = interval
        self._patience = patience
        self._lease = lease
        self._ttl = ttl
        self._due: dict[RedisLog, None] = {}
        self._wake = asyncio.Event()
        self._failing: float | None = None
        self._client: int | None = None
        self._moved = False

    def add(self, log: RedisLog) -> None:
        """Take on a run that has begun."""
        self.logs[log.tail.stream_id] = log

    def notify(self, log: RedisLog) -> None:
        """Note that a run has something to write."""
        self._due[log] = None
        self._wake.set()

    async def run(self) -> None:
        """Write until cancelled."""
        renewed = time.monotonic()
        while not cancellations():
            try:
                async with asyncio.timeout(max(0.0, renewed + self._lease / 3 - time.monotonic())):
                    await self._wake.wait()
            except TimeoutError:
                pass
            self._wake.clear()
            began = time.monotonic()
            renew = self._moved or began - renewed >= self._lease / 3
            self._moved = False
            logs = list(self.logs.values()) if renew else [log for log in self._due if log.live]
            self._due = {}
            for place in range(0, len(logs), _LOGS):
                await self._write(logs[place : place + _LOGS], renew=renew)
            if renew:
                renewed = began
            self._drop_ended(logs)
            await asyncio.sleep(_PAUSE if self._failing else self._interval - (time.monotonic() - began))

    def _drop_ended(self, logs: Sequence[RedisLog]) -> None:
        for log in logs:
            if log.tail.ended and self.logs.get(log.tail.stream_id) is log:
                del self.logs[log.tail.stream_id]

    async def _write(self, logs: Sequence[RedisLog], *, renew: bool) -> None:
        batches = [(log, batch) for log in logs if log.live and ((batch := log.batch()) or renew)]
        if not batches:
            return
        try:
            client, *kept = await self._send(batches, renew=renew)
        except Exception as error:  # noqa: BLE001 - whatever the client raises, the runs must hear of it
            self._failed(batches, error)
            return
        self._failing = None
        moved = self._client not in {None, client}  # another connection, perhaps of another life of Redis
        self._moved = self._moved or moved
        self._client = client
        for (log, batch), whole in zip(batches, kept, strict=True):
            if whole and not moved:
                log.acknowledge(len(batch))
            else:
                await self._doubt(log, batch)

    async def _send(self, batches: Sequence[tuple[RedisLog, Sequence[LogEntry]]], *, renew: bool) -> list[Any]:
        """Write the batches in one transaction.

        Returns:
            Redis's number for the connection, and for each batch whether nothing was refused and nothing is missing.
        """
        ends: list[int] = []
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.client_id()
            for log, batch in batches:
                keys, epoch = log.keys, log.tail.epoch
                for entry in batch:
                    pipe.xadd(keys.log, write_entry(entry), id=entry.id, nomkstream=True)
                if renew or (batch and batch[-1].end):
                    pipe.pexpire(keys.log, int(self._ttl * 1000))
                if renew:
                    pipe.set(keys.lease, epoch, px=int(self._lease * 1000))
                    pipe.xtrim(keys.log, minid=f"{epoch}-0", approximate=False)
                    pipe.xlen(keys.log)
                ends.append(len(pipe))
            client, *replies = await pipe.execute(raise_on_error=False)
        found: list[Any] = [client]
        first = 0
        for (log, batch), end in zip(batches, ends, strict=True):
            added, last = replies[first : first + len(batch)], replies[end - 2]
            counted = not renew or last == 1 + log.tail.size + len(batch)
            found.append(counted and all(isinstance(reply, bytes) for reply in added))
            first = end - 1
        return found

    def _failed(self, batches: Sequence[tuple[RedisLog, Sequence[LogEntry]]], error: Exception) -> None:
        self._failing = self._failing or time.monotonic()
        over = time.monotonic() - self._failing > self._patience
        for log, batch in batches:
            if over:
                failure = StoreError(f"redis could not keep stream {log.tail.stream_id!r}: {error}")
                failure.__cause__ = error
                log.give_up(failure)
            elif batch:
                self.notify(log)
        if over:
            self._failing = None

    async def _doubt(self, log: RedisLog, batch: Sequence[LogEntry]) -> None:
        """Find out what the log has: all that was sent, a later epoch, or less than it had."""
        keys, epoch = log.keys, log.tail.epoch
        try:
            async with self._redis.pipeline(transaction=True) as pipe:
                pipe.xtrim(keys.log, minid=f"{epoch}-0", approximate=False)
                pipe.xlen(keys.log)
                pipe.xrevrange(keys.log, count=1)
                _, count, newest = await pipe.execute()
        except (RedisError, OSError) as error:
            self._failed([(log, batch)], error)
            return
        if newest and (run_of(newest[0]) != epoch or not newest[0][0].startswith(b"%d-" % epoch)):
            log.fence()
        elif newest and count == 1 + log.tail.size + len(batch):
            log.acknowledge(len(batch))
        else:
            await self._mark_lost(log)
            log.give_up(
                StoreError(f"redis no longer has all that stream {log.tail.stream_id!r} has written: was it restarted?")
            )

    async def _mark_lost(self, log: RedisLog) -> None:
        """Say in the log itself that it goes no further; where even that fails, its lease will run out."""
        marker = marker_of(log.tail.epoch, log.tail.head.will)
        try:
            await self._redis.xadd(log.keys.log, write_entry(marker), id=marker.id, nomkstream=True)
        except (RedisError, OSError):
            return
