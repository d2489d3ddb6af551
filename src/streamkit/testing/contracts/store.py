"""The laws of stores of resumable streams."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Final, TypeAlias
from uuid import uuid4

import attrs

from streamkit.errors import StreamGoneError, StreamRunningError
from streamkit.stores import Ending, LogEntry, LogHead, LogReader, StreamLog, StreamStore
from streamkit.testing.contracts._laws import LawBroken, about, examine

__tracebackhide__ = True  # pytest shows the author's test, and none of this
GIVES_WAY: Final = "a run that has ended gives way to the next one under its id, whose epoch is larger"
GONE: Final = "where the next entry is not kept, StreamGoneError is raised, so that no reader misses one"
HEAD: Final = "every reader gets the head that the run was begun with"
IDS: Final = "an id of a former run is no place in the next one"
ONE: Final = "every reader sees each entry once, in order, with seq from 1 on, and the ending in the last one alone"
PLACES: Final = "a reader that comes back gets what follows its place, and is at the end where nothing does"
RUNNING: Final = "an id has one run at a time, also where several are begun at once"
STOPS: Final = "a stop reaches the run that goes on, or the next one if there is none, and no other"

_HEAD: Final = LogHead(headers={"content-type": "text/event-stream"}, keep_alive=b":\n\n", will=b"data: lost\n\n")
_PATIENCE: Final = 10.0
"""Seconds until something that must happen is given up."""

_Stores: TypeAlias = tuple[StreamStore, StreamStore]


@attrs.frozen
class _History:
    """What one run says, and how its readers come and go.

    Args:
        batches: What it appends.
        closing: What its end has.
        ending: How it ends.
        turn: After how many entries a reader leaves, to come back.
    """

    batches: list[list[bytes]]
    closing: list[bytes]
    ending: Ending
    turn: int

    @property
    def entries(self) -> list[tuple[int, bytes, Ending | None]]:
        """What every reader must see."""
        *data, last = [each for batch in self.batches for each in batch] + (self.closing or [b""])
        return [*((seq, each, None) for seq, each in enumerate(data, 1)), (len(data) + 1, last, self.ending)]


def assert_store_contract(make: Callable[[], StreamStore], *, shared: bool = False, examples: int = 50) -> None:
    """Hold a store of resumable streams to its laws. Its stores are really written to, under ids of their own.

        assert_store_contract(MemoryStore)
        assert_store_contract(lambda: MyStore(url), shared=True)

    1. Every reader sees one history: each entry once and in order, whenever it came and however often it left.
    2. A place that is not in the log is an error, and never a silent hole.
    3. An id has one run at a time; one that has ended gives way to the next, whose ids are new.
    4. A stop reaches the run that goes on, or the next one if there is none.

    Call it from a plain test function, not from a coroutine.

    Args:
        make: Makes a store; called without an event loop too, as when a gateway's file is read.
        shared: Whether all the stores that it makes have the same streams, as those of several processes do: then the
            laws are held across two of them.
        examples: How many histories to try.

    Raises:
        LawBroken: A law is broken; the message has the smallest history that shows it.
    """
    with about(make()):
        from hypothesis import strategies as st

        data = st.binary(min_size=1, max_size=8)
        histories = st.builds(
            _History,
            st.lists(st.lists(data, min_size=1, max_size=4), max_size=6),
            st.lists(data, max_size=2),
            st.sampled_from(("finished", "failed", "stopped")),
            st.integers(1, 4),
        )
        run = partial(_run, make, shared)
        plain = _History([[b"a"], [b"b", b"c"]], [b"end"], "finished", 1)  # what breaks it need not be searched for
        for check in (partial(_check_history, plain), _check_gone, _check_running, _check_next, _check_stops):
            run(check)
        examine(lambda history: run(partial(_check_history, history)), histories, examples)


def _run(make: Callable[[], StreamStore], shared: bool, check: Callable[[_Stores, str], Awaitable[None]]) -> None:
    async def running() -> None:
        here = make()
        there = make() if shared else here
        try:
            await check((here, there), f"contract-{uuid4().hex}")
        finally:
            await here.aclose()
            if shared:
                await there.aclose()

    asyncio.run(running())


async def _check_history(history: _History, stores: _Stores, name: str) -> None:
    here, there = stores
    log = await here.open(name, _HEAD)
    async with _readings(history, stores, name) as readings:
        for batch in history.batches:
            await log.append(batch)
            await asyncio.sleep(0)
        await log.end(history.ending, history.closing)
    for reading in readings:
        seen = reading.result()
        if _seen(seen) != history.entries or len({entry.epoch for entry in seen}) != 1:
            raise LawBroken(ONE, str(history), f"{reading.get_name()} saw {_shown(seen)}")
    whole = readings[0].result()
    for place in range(len(whole) + 1):
        epoch = whole[0].epoch
        reader = await there.read(name, (epoch, place))
        ended, rest = reader.ended, await _all(reader)
        if [*rest] != whole[place:] or ended != (place == len(whole)):
            raise LawBroken(PLACES, str(history), f"after {epoch}-{place}, where ended was {ended}: {_shown(rest)}")


@asynccontextmanager
async def _readings(
    history: _History, stores: _Stores, name: str
) -> AsyncIterator[list[asyncio.Task[Sequence[LogEntry]]]]:
    """Have a run read from its beginning, in every way, while it goes on; wait for all who read."""
    tasks = []
    for store in stores:
        try:
            reader = await store.read(name)
        except StreamGoneError as error:
            raise LawBroken(ONE, str(history), f"it could not be read while it went on: {error}") from error
        if reader.head != _HEAD:
            raise LawBroken(HEAD, f"it was begun with {_HEAD}", f"a reader got {reader.head}")
        tasks.append(asyncio.create_task(_all(reader), name="a reader that stayed"))
        tasks.append(asyncio.create_task(_all(await store.read(name), doubts=True), name="one that waited in bits"))
    tasks.append(asyncio.create_task(_in_turns(history, stores, name), name="one that left and came back"))
    try:
        yield tasks
        _, waiting = await asyncio.wait(tasks, timeout=_PATIENCE)
        if waiting:
            names = ", ".join(sorted(task.get_name() for task in waiting))
            raise LawBroken(ONE, str(history), f"{_PATIENCE:g} s after the end, it had not come to {names}")
    finally:
        for task in tasks:
            task.cancel()


async def _all(reader: LogReader, *, doubts: bool = False) -> Sequence[LogEntry]:
    entries: list[LogEntry] = []
    patient = not doubts
    while True:
        waiting = asyncio.ensure_future(anext(reader, None))
        if not patient:  # to stop waiting and to wait again must lose nothing
            await asyncio.wait({waiting}, timeout=0)
            waiting.cancel()
        await asyncio.wait({waiting})
        patient = not (doubts and patient)
        if not waiting.cancelled():
            batch = waiting.result()
            if batch is None:
                return entries
            entries += batch


async def _in_turns(history: _History, stores: _Stores, name: str) -> Sequence[LogEntry]:
    entries: list[LogEntry] = []
    while not (entries and entries[-1].end):
        place = (entries[-1].epoch, entries[-1].seq) if entries else None
        reader = await stores[len(entries) % 2].read(name, place)
        entries += (await anext(reader))[: history.turn]
    return entries


async def _check_gone(stores: _Stores, name: str) -> None:
    here, there = stores
    await _refused(there.read(name), StreamGoneError, GONE, "a stream that nobody began was read")
    log = await here.open(name, _HEAD)
    await log.append([b"a"])
    (entry,) = await anext(await here.read(name))
    for store in stores:
        for place in ((entry.epoch - 1, 1), (entry.epoch + 1, 0), (entry.epoch, entry.seq + 1)):
            asked = f"the log had {entry.id}, and was read after {place[0]}-{place[1]}"
            await _refused(store.read(name, place), StreamGoneError, GONE, asked)
    await log.end("finished")


async def _check_running(stores: _Stores, name: str) -> None:
    begun = await asyncio.gather(*(store.open(name, _HEAD) for store in stores * 3), return_exceptions=True)
    logs = [each for each in begun if not isinstance(each, BaseException)]
    if len(logs) != 1 or sum(isinstance(each, StreamRunningError) for each in begun) != len(begun) - 1:
        raise LawBroken(RUNNING, f"of {len(begun)} runs that were begun at once, {len(logs)} were", f"{begun}")
    for store in stores:
        await _refused(store.open(name, _HEAD), StreamRunningError, RUNNING, "a second run was begun meanwhile")
    await logs[0].end("finished")


async def _check_next(stores: _Stores, name: str) -> None:
    here, there = stores
    read = []
    for store in (here, there):
        log = await store.open(name, _HEAD)
        await log.append([b"a"])
        await log.end("finished", [b"end"])
        read.append(await _all(await here.read(name)))
    former, latter = read
    if [len(former), len(latter)] != [2, 2] or latter[0].epoch <= former[0].epoch:
        raise LawBroken(GIVES_WAY, f"the first run: {_shown(former)}", f"the second: {_shown(latter)}")
    place = (former[0].epoch, former[0].seq)
    await _refused(there.read(name, place), StreamGoneError, IDS, f"it was read after {former[0].id}, of the first run")


async def _check_stops(stores: _Stores, name: str) -> None:
    here, there = stores
    await _stopped(there, name, "pending", "before a run was begun")
    for when in ("a stop had come before it was begun", "it was stopped"):
        log = await here.open(name, _HEAD)
        if when == "it was stopped":
            await _not_stopped(log)
            await _stopped(there, name, "stopping", "while a run went on")
        try:
            await asyncio.wait_for(log.stop_requested(), _PATIENCE)
        except TimeoutError as error:
            raise LawBroken(STOPS, f"the run did not hear of it, when {when}") from error
        await log.end("stopped")
        await _stopped(there, name, "ended", "after the end of a run")


async def _stopped(store: StreamStore, name: str, state: str, when: str) -> None:
    answer = await store.stop(name)
    if answer != state:
        raise LawBroken(STOPS, f"stop() {when} answered {answer!r} and not {state!r}")


async def _not_stopped(log: StreamLog) -> None:
    waiting = asyncio.ensure_future(log.stop_requested())
    await asyncio.wait({waiting}, timeout=0.05)
    if not waiting.cancel():
        raise LawBroken(STOPS, "the run heard of a stop that was for the one before it")


async def _refused(asked: Awaitable[Any], error: type[Exception], law: str, fact: str) -> None:
    try:
        got = await asked
    except error:
        return
    except Exception as other:
        raise LawBroken(law, fact, f"it raised {type(other).__name__}: {other}") from other
    raise LawBroken(law, fact, f"no {error.__name__} was raised: {got!r}")


def _seen(entries: Sequence[LogEntry]) -> list[tuple[int, bytes, Ending | None]]:
    return [(entry.seq, entry.data, entry.end) for entry in entries]


def _shown(entries: Sequence[LogEntry]) -> str:
    return ", ".join(f"{entry.id} {entry.data!r}{f' {entry.end}' * bool(entry.end)}" for entry in entries) or "nothing"
