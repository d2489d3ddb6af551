"""The store: logs of resumable streams in Redis Streams, written and read by any number of processes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Literal
from weakref import WeakValueDictionary

import attrs
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError, WatchError
from redis.exceptions import TimeoutError as RedisTimeoutError
from streamkit import ConfigurationError, LogEntry, LogHead, StoreError, StreamGoneError, StreamRunningError

from streamkit_redis._cancelling import cancellations
from streamkit_redis._following import Follower
from streamkit_redis._log import OnFailure, RedisLog
from streamkit_redis._tail import AT_ONCE, Reader, Tail
from streamkit_redis._wire import (
    Keys,
    is_end,
    is_start,
    marker_of,
    read_entry,
    read_head,
    run_of,
    write_entry,
    write_head,
)
from streamkit_redis._writing import Flusher

Position = tuple[int, int]
Stopped = Literal["stopping", "pending", "ended"]


@attrs.define(kw_only=True, eq=False)
class RedisStore:
    """Keeps resumable streams in Redis 6.2 or newer, or Valkey: one Redis stream for each log.

    1. An entry is in Redis before any reader gets it. Entries wait for up to `batch_seconds` and go out together.
    2. Any process with the same Redis and prefix can read a stream, stop it, and take its place once it has ended.
    3. A producer renews a lease while it lives. When the lease has run out, the first reader who notices ends the log
       with `lost`; a producer that was only asleep is refused from then on.
    4. All streams of a process share one connection that waits, one that writes, and `connections` others.

    It belongs to one event loop. It is not for Redis Cluster, where one connection cannot wait for all keys.

    Args:
        url: Of the Redis, such as `rediss://user:password@host:6379/0`.
        prefix: Of all keys.
        ttl: Seconds that a stream is kept after its end.
        lease: Seconds that a producer may be silent before it is taken for dead.
        batch_seconds: Seconds between two batches of a process.
        max_stream_bytes: Most bytes of one stream; a larger one fails with `LimitExceededError`.
        patience: Seconds to go on trying while Redis does not answer; less than `lease`.
        on_failure: What becomes of a run after that. `"fail"`: it ends, and its readers are told so. `"degrade"`: those
            who read it in this process get the rest, and nobody can resume it any more.
        stop_patience: Seconds that a wish to stop waits for a run that has not begun.
        connections: Connections besides the one that waits and the one that writes.

    Raises:
        ConfigurationError: The URL is none, or the patience is not less than the lease.
    """

    url: str = attrs.field(default="redis://127.0.0.1:6379/0", repr=False)
    prefix: str = "sk"
    ttl: float = attrs.field(default=3600.0, validator=attrs.validators.gt(0))
    lease: float = attrs.field(default=15.0, validator=attrs.validators.gt(0))
    batch_seconds: float = attrs.field(default=0.02, validator=attrs.validators.ge(0))
    max_stream_bytes: int = attrs.field(default=4 * 2**20, validator=attrs.validators.gt(0))
    patience: float = attrs.field(default=10.0, validator=attrs.validators.gt(0))
    on_failure: OnFailure = attrs.field(default="fail", validator=attrs.validators.in_(("fail", "degrade")))
    stop_patience: float = attrs.field(default=30.0, validator=attrs.validators.gt(0))
    connections: int = attrs.field(default=2, validator=attrs.validators.gt(0))
    _tails: WeakValueDictionary[tuple[str, int], Tail] = attrs.field(
        init=False, repr=False, factory=WeakValueDictionary
    )
    _redis: Redis = attrs.field(init=False, repr=False)
    _blocking: Redis = attrs.field(init=False, repr=False)
    _writing: Redis = attrs.field(init=False, repr=False)
    _flusher: Flusher = attrs.field(init=False, repr=False)
    _follower: Follower = attrs.field(init=False, repr=False)
    _tasks: list[asyncio.Task[None]] = attrs.field(init=False, repr=False, factory=list)

    def __attrs_post_init__(self) -> None:
        if self.patience >= self.lease:
            raise ConfigurationError(
                f"patience ({self.patience:g} s) must be less than lease ({self.lease:g} s), or a run that still tries "
                "is declared dead"
            )
        self._redis = self._client(self.connections)
        self._writing = self._client(1)
        self._blocking = self._client(1)
        self._flusher = Flusher(
            self._writing, interval=self.batch_seconds, patience=self.patience, lease=self.lease, ttl=self.ttl
        )
        self._follower = Follower(
            self._blocking,
            self._redis,
            tails=self._tails,
            logs=self._flusher.logs,
            prefix=self.prefix,
            lease=self.lease,
            patience=self.patience,
            check=self._check,
        )

    async def open(self, stream_id: str, head: LogHead) -> RedisLog:
        """Begin the log of a run; see `StreamStore.open`."""
        self._work()
        keys = Keys.of(self.prefix, stream_id)
        async with self._answers("begin", stream_id):
            while (begun := await self._begin(stream_id, keys, head)) is None:
                await self._declare_dead(stream_id)
        epoch, stopped = begun
        tail = self._tails[stream_id, epoch] = Tail(stream_id, epoch, head)
        log = RedisLog(tail, keys, limit=self.max_stream_bytes, on_failure=self.on_failure, notify=self._flusher.notify)
        if stopped:
            log.stop.set()
        self._flusher.add(log)
        self._follower.wake()
        return log

    async def read(self, stream_id: str, after: Position | None = None) -> Reader:
        """Read a log and follow it; see `StreamStore.read`."""
        self._work()
        log = self._flusher.logs.get(stream_id)
        if log is not None and not log.tail.ended:
            epoch, seq = after or (log.tail.epoch, 0)
            if epoch == log.tail.epoch and seq <= log.tail.size:
                return Reader(log.tail, seq, self._fetch)
        tail, size, end = await self._tail(stream_id)
        epoch, seq = after or (tail.epoch, 0)
        if end is not None and (epoch, seq) == (end.epoch, end.seq):
            return Reader(tail, size, self._fetch, ended=True)
        if epoch != tail.epoch or seq > size:
            raise StreamGoneError(f"the stream under the id {stream_id!r} has no entry {epoch}-{seq}, or not any more")
        return Reader(tail, seq, self._fetch)

    async def stop(self, stream_id: str) -> Stopped:
        """Ask the run under an id to stop; see `StreamStore.stop`."""
        self._work()
        log = self._flusher.logs.get(stream_id)
        if log is not None and not log.tail.ended:
            log.stop.set()
            return "stopping"
        keys = Keys.of(self.prefix, stream_id)
        async with self._answers("stop", stream_id):
            newest: Any = await self._redis.xrevrange(keys.log, count=1)
            if newest and is_end(newest[0]):
                return "ended"
            async with self._redis.pipeline(transaction=True) as pipe:
                pipe.xadd(keys.control, {"epoch": run_of(newest[0]) if newest else ""}, maxlen=16)
                pipe.pexpire(keys.control, int(self.stop_patience * 1000))
                await pipe.execute()
        return "stopping" if newest else "pending"

    async def aclose(self) -> None:
        """Let go of tasks and connections; end the runs first, or they will be declared dead."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        self._tasks.clear()
        await self._follower.aclose()
        for client in (self._redis, self._blocking, self._writing):
            await client.aclose()

    def _client(self, connections: int) -> Redis:
        try:
            pool = BlockingConnectionPool.from_url(
                self.url,
                max_connections=connections,
                timeout=max(1.0, self.patience),
                protocol=2,
                retry=Retry(NoBackoff(), 0),  # what is sent again, and for how long, is decided here
                socket_timeout=max(5.0, self.patience / 2),
                socket_connect_timeout=max(1.0, self.patience / 2),
            )
        except ValueError:  # whose message quotes what it takes for a port, which may be half a password
            raise ConfigurationError(
                "the url is no address of a Redis: write redis://HOST:PORT/NUMBER, rediss:// or unix://; in a "
                "password, '/', '@' and ':' are %2F, %40 and %3A"
            ) from None
        return Redis.from_pool(pool)

    def _work(self) -> None:
        """Start the two tasks of this process, at the first call."""
        if not self._tasks:
            self._tasks = [
                asyncio.create_task(self._flusher.run(), name="streamkit-redis writing"),
                asyncio.create_task(self._follower.run(), name="streamkit-redis following"),
            ]

    async def _begin(self, stream_id: str, keys: Keys, head: LogHead) -> tuple[int, bool] | None:
        """Write the start of a run, unless another goes on.

        Returns:
            The epoch, and whether a wish to stop was there before; `None` to try again, where another was quicker or
            the run before has no end.
        """
        async with self._redis.pipeline(transaction=True) as pipe:
            await pipe.watch(keys.log, keys.lease)
            newest: Any = await pipe.xrevrange(keys.log, count=1)
            if newest and not is_end(newest[0]):
                if await pipe.exists(keys.lease):
                    raise StreamRunningError(f"a run under the id {stream_id!r} goes on: read it, or stop it first")
                return None
            seconds, micros = await pipe.time()
            # Redis's own clock: unlike a counter it outlives the log, so no id of a forgotten run fits again.
            epoch = seconds * 1000 + micros // 1000
            if newest:
                epoch = max(epoch, int(newest[0][0].partition(b"-")[0]) + 2)  # one is left for a marker
            pipe.multi()  # type: ignore[no-untyped-call]
            pipe.xadd(keys.log, write_head(head), id=f"{epoch}-0")
            pipe.pexpire(keys.log, int(self.ttl * 1000))
            pipe.set(keys.lease, epoch, px=int(self.lease * 1000))
            pipe.xrange(keys.control)
            pipe.delete(keys.control)
            try:
                _, _, _, wishes, _ = await pipe.execute()
            except WatchError:
                return None
        return epoch, not newest and any(fields[b"epoch"] == b"" for _, fields in wishes)

    async def _tail(self, stream_id: str) -> tuple[Tail, int, LogEntry | None]:
        """Return the newest run under an id, how many entries it has, and its last one if it has ended."""
        keys = Keys.of(self.prefix, stream_id)
        async with self._answers("read", stream_id):
            newest: Any = await self._redis.xrevrange(keys.log, count=1)
            if not newest:
                raise StreamGoneError(f"no stream is kept under the id {stream_id!r}")
            epoch = run_of(newest[0])
            async with self._redis.pipeline(transaction=True) as pipe:
                pipe.xrange(keys.log, f"{epoch}-0", f"{epoch}-0")
                pipe.xrevrange(keys.log, f"{epoch + 1}-0", f"{epoch}-0", count=2)
                start, last = await pipe.execute()
        if not start:
            raise StreamGoneError(f"the stream under the id {stream_id!r} is gone")
        entries = [read_entry(raw) for raw in last if not is_start(raw)]
        end = entries[0] if entries and entries[0].end else None
        size = max((entry.seq for entry in entries), default=0) + (end is not None and end.end == "lost")
        tail = self._tails.get((stream_id, epoch))
        if tail is None or tail.broken:
            tail = Tail(stream_id, epoch, read_head(start[0]), size, ended=end is not None)
            self._tails[stream_id, epoch] = tail
            self._follower.wake()
        return tail, size, end

    async def _fetch(self, tail: Tail, place: int) -> Sequence[LogEntry]:
        """Read entries of a run after a place; there must be some."""
        keys, epoch = Keys.of(self.prefix, tail.stream_id), tail.epoch
        raws: Any = None
        async with self._answers("read", tail.stream_id), asyncio.timeout(self.patience):
            while raws is None:
                try:
                    raws = await self._redis.xrange(keys.log, f"({epoch}-{place}", f"{epoch + 1}-0", count=AT_ONCE)
                except (RedisConnectionError, RedisTimeoutError):
                    await asyncio.sleep(0.1)
        entries = [read_entry(raw) for raw in raws if not is_start(raw)]
        contiguous = all(entry.seq == place + step or entry.end == "lost" for step, entry in enumerate(entries, 1))
        if not entries or not contiguous:
            raise StreamGoneError(f"the stream under the id {tail.stream_id!r} is gone, or has lost what follows")
        return entries

    async def _check(self, tail: Tail) -> None:
        """Declare the producer of a tail dead if its lease has run out."""
        if not await self._declare_dead(tail.stream_id):
            tail.fail(StreamGoneError(f"the stream under the id {tail.stream_id!r} is gone"))

    async def _declare_dead(self, stream_id: str) -> bool:
        """End a log whose producer's lease has run out; of many that try at once, one does.

        Returns:
            Whether there is such a log at all.
        """
        keys = Keys.of(self.prefix, stream_id)
        async with self._redis.pipeline(transaction=True) as pipe:
            await pipe.watch(keys.log, keys.lease)
            newest: Any = await pipe.xrevrange(keys.log, count=1)
            if not newest or is_end(newest[0]) or await pipe.exists(keys.lease):
                return bool(newest)
            epoch = run_of(newest[0])
            start: Any = await pipe.xrange(keys.log, f"{epoch}-0", f"{epoch}-0")
            marker = marker_of(epoch, read_head(start[0]).will if start else b"")
            pipe.multi()  # type: ignore[no-untyped-call]
            pipe.xadd(keys.log, write_entry(marker), id=marker.id, nomkstream=True)
            pipe.pexpire(keys.log, int(self.ttl * 1000))
            try:
                await pipe.execute()
            except WatchError:
                return True  # somebody wrote: the producer, or another reader who noticed
        return True

    @asynccontextmanager
    async def _answers(self, what: str, stream_id: str) -> AsyncIterator[None]:
        """Turn what the client raises into a `StoreError` that says what could not be done."""
        known = cancellations()
        try:
            yield
            if cancellations() > known:
                raise asyncio.CancelledError
        except (RedisError, OSError) as error:
            raise StoreError(f"redis could not {what} stream {stream_id!r}: {type(error).__name__}: {error}") from error
