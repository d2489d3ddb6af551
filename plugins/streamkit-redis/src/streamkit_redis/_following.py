"""The one task of a process that waits: for entries of all the runs that are read here and produced elsewhere."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from typing import TYPE_CHECKING, Any, Final

from redis.exceptions import RedisError
from streamkit import StoreError, StreamGoneError

from streamkit_redis._cancelling import cancellations
from streamkit_redis._log import RedisLog
from streamkit_redis._tail import AT_ONCE, Tail
from streamkit_redis._wire import Keys, Raw, is_start, read_entry, run_of

if TYPE_CHECKING:
    from redis.asyncio import Redis

_PACE: Final = 0.005
"""Seconds between two replies, so that a busy Redis answers with more at once."""

_BLOCK: Final = 1.0
"""Most seconds of one wait."""


class Follower:
    """Reads what others write, for everybody in this process, over one connection.

    1. One blocking `XREAD` waits for all streams that somebody reads here, and for wishes to stop the runs that are
       produced here. It is woken by `CLIENT UNBLOCK` when there is one more.
    2. A tail that has heard nothing for half a lease is checked for signs of life, once for all its readers.
    3. When Redis has not answered for `patience`, the readers are told.

    Args:
        blocking: A client with a connection of its own, to wait with.
        redis: The connections for everything else.
        tails: What somebody reads, by stream and epoch; a tail that nobody reads is not in it any more.
        logs: The runs that are produced here.
        prefix: Of the keys.
        lease: Seconds that a producer may be silent.
        patience: Seconds to go on trying.
        check: Looks whether the producer of a tail lives.
    """

    def __init__(
        self,
        blocking: Redis,
        redis: Redis,
        *,
        tails: MutableMapping[tuple[str, int], Tail],
        logs: Mapping[str, RedisLog],
        prefix: str,
        lease: float,
        patience: float,
        check: Callable[[Tail], Awaitable[None]],
    ) -> None:
        self._blocking = blocking
        self._redis = redis
        self._tails = tails
        self._logs = logs
        self._prefix = prefix
        self._lease = lease
        self._patience = patience
        self._check = check
        self._changed = asyncio.Event()
        self._client: int | None = None
        self._unblocking: asyncio.Task[None] | None = None

    def wake(self) -> None:
        """Note that there is something more to wait for."""
        self._changed.set()
        if self._client is not None and (self._unblocking is None or self._unblocking.done()):
            self._unblocking = asyncio.create_task(self._unblock(self._client))

    async def run(self) -> None:
        """Read until cancelled."""
        failing: float | None = None
        while not cancellations():
            self._changed.clear()
            places = self._places()
            if not places:
                await self._changed.wait()
                continue
            try:
                if self._client is None:
                    self._client = await self._blocking.client_id()
                block = int(min(_BLOCK, self._lease / 3) * 1000)
                replies: Any = await self._blocking.xread(places, count=AT_ONCE, block=block)
                for key, raws in replies or ():
                    self._hand_out(key.decode(), raws)
                await self._look_after()
                failing = None
                await asyncio.sleep(_PACE)
            except Exception as error:  # noqa: BLE001 - whatever the client raises, the readers must hear of it
                self._client = None
                failing = failing or time.monotonic()
                if time.monotonic() - failing > self._patience:
                    self._tell(error)
                    failing = None
                await asyncio.sleep(0.1)

    async def aclose(self) -> None:
        """End the task that may be unblocking."""
        if self._unblocking is not None:
            self._unblocking.cancel()
            await asyncio.wait({self._unblocking})

    def _followed(self) -> Iterable[Tail]:
        """Return the tails of runs that are produced elsewhere."""
        for tail in tuple(self._tails.values()):
            log = self._logs.get(tail.stream_id)
            if not (tail.ended or tail.broken or (log is not None and log.tail is tail)):
                yield tail

    def _places(self) -> dict[Any, Any]:
        places = {log.keys.control: log.heard for log in self._logs.values()}
        seen: dict[str, tuple[int, int]] = {}
        for tail in self._followed():
            key = Keys.of(self._prefix, tail.stream_id).log
            seen[key] = min(seen.get(key, (tail.epoch, tail.size)), (tail.epoch, tail.size))
        return places | {key: f"{epoch}-{seq}" for key, (epoch, seq) in seen.items()}

    def _hand_out(self, key: str, raws: Iterable[Raw]) -> None:
        stream_id = key[len(self._prefix) + 2 : key.rindex("}")]
        if key.endswith(":ctl"):
            log = self._logs.get(stream_id)
            if log is not None:
                for place, fields in raws:
                    log.heard = place.decode()
                    if fields[b"epoch"] in {b"", b"%d" % log.tail.epoch}:
                        log.stop.set()
            return
        tails = [tail for tail in self._followed() if tail.stream_id == stream_id]
        for tail in tails:
            tail.publish([read_entry(raw) for raw in raws if not is_start(raw) and run_of(raw) == tail.epoch])
            if any(run_of(raw) > tail.epoch for raw in raws):
                tail.fail(StreamGoneError(f"another run has taken the place of stream {stream_id!r}"))

    async def _look_after(self) -> None:
        now = time.monotonic()
        silent = [tail for tail in self._followed() if now - tail.heard > self._lease / 2]
        if not silent:
            return
        async with self._redis.pipeline(transaction=False) as pipe:
            for tail in silent:
                pipe.exists(Keys.of(self._prefix, tail.stream_id).lease)
            alive = await pipe.execute()
        for tail, lives in zip(silent, alive, strict=True):
            tail.heard = now
            if not lives:
                await self._check(tail)

    def _tell(self, cause: Exception) -> None:
        for tail in self._followed():
            error = StoreError(f"redis could not be read for stream {tail.stream_id!r}: {cause}")
            error.__cause__ = cause
            tail.fail(error)

    async def _unblock(self, client: int) -> None:
        """Wake the waiting connection; where it is not waiting yet, do so again until it has heard."""
        try:
            while self._changed.is_set() and self._client == client and not cancellations():
                await self._redis.client_unblock(client)
                await asyncio.sleep(_PACE)
        except (RedisError, OSError):
            return  # it wakes by itself soon
