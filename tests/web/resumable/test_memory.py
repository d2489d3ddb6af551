"""The store of one process: every reader sees one history, and what has ended makes room."""

import asyncio

import pytest

from streamkit import LimitExceededError, StreamGoneError, StreamRunningError
from streamkit.testing.histories import assert_one_history
from streamkit.web.resumable import MemoryStore


async def _kept(store, name, head, *data):
    log = await store.open(name, head)
    await log.append(data)
    await log.end("finished")
    return log


async def test_a_reader_replays_and_follows(head, read_all):
    """What was there before the reader came and what comes later is one sequence."""
    store = MemoryStore()
    log = await store.open("chat", head)
    await log.append([b"a", b"b"])
    reader = await store.read("chat")
    reading = asyncio.create_task(read_all(reader))
    await asyncio.sleep(0)
    await log.append([b"c"])
    await log.end("finished", [b"d", b"e"])
    entries = assert_one_history([await reading])
    assert [(entry.seq, entry.data, entry.end) for entry in entries] == [
        (1, b"a", None),
        (2, b"b", None),
        (3, b"c", None),
        (4, b"d", None),
        (5, b"e", "finished"),
    ]
    assert reader.head == head
    assert reader.ended


async def test_readers_come_back_at_every_id(head, read_all):
    """A reader that leaves after any entry and comes back gets the rest, each entry once."""
    store = MemoryStore()
    log = await store.open("chat", head)
    came_back = []
    for place in range(20):
        reader = await store.read("chat", (log.epoch, place))
        came_back.append(asyncio.create_task(read_all(reader)))
        await log.append([b"%d" % place])
        await asyncio.sleep(0)
    await log.end("stopped")
    readings = [await reading for reading in came_back]
    assert assert_one_history(readings) == readings[0]
    assert [len(reading) for reading in readings] == list(range(21, 1, -1))


async def test_a_late_reader_gets_a_long_stream_in_pieces(head):
    """One batch is bounded, so that a slow connection has no whole stream in its buffer."""
    store = MemoryStore()
    await _kept(store, "chat", head, *[b"x"] * 1000)
    sizes = [len(entries) async for entries in await store.read("chat")]
    assert sum(sizes) == 1001
    assert max(sizes) <= 256


@pytest.mark.parametrize("after", [(0, 1), (1, 10**6)], ids=["another run", "beyond the end"])
async def test_a_place_that_is_not_kept_is_gone(head, after):
    """No reader is placed where it would miss something."""
    store = MemoryStore()
    log = await _kept(store, "chat", head, b"a")
    with pytest.raises(StreamGoneError, match="no entry"):
        await store.read("chat", (log.epoch + after[0] - 1, after[1]))


async def test_an_unknown_stream_is_gone():
    """There is nothing to wait for."""
    with pytest.raises(StreamGoneError, match="'chat'"):
        await MemoryStore().read("chat")


async def test_the_end_can_be_a_place(head, read_all):
    """A client that has everything and comes back gets nothing more."""
    store = MemoryStore()
    log = await _kept(store, "chat", head, b"a")
    reader = await store.read("chat", (log.epoch, 2))
    assert reader.ended
    assert await read_all(reader) == []


async def test_a_running_stream_keeps_its_id(head):
    """Two runs cannot write one history."""
    store = MemoryStore()
    await store.open("chat", head)
    with pytest.raises(StreamRunningError, match="goes on"):
        await store.open("chat", head)


async def test_an_ended_stream_gives_way(head, read_all):
    """The next run under the id has ids of its own, and those of the former are gone."""
    store = MemoryStore()
    first = await _kept(store, "chat", head, b"a")
    old = await store.read("chat")
    second = await _kept(store, "chat", head, b"b")
    assert second.epoch > first.epoch
    assert [entry.data for entry in await read_all(await store.read("chat"))] == [b"b", b""]
    assert [entry.data for entry in await read_all(old)] == [b"a", b""]
    with pytest.raises(StreamGoneError):
        await store.read("chat", (first.epoch, 1))


async def test_only_the_first_ending_counts(head, read_all):
    """A log has one ending, whoever tries again."""
    store = MemoryStore()
    log = await store.open("chat", head)
    await log.end("failed", [b"x"])
    await log.end("finished")
    assert [entry.end for entry in await read_all(await store.read("chat"))] == ["failed"]


async def test_a_stop_reaches_a_running_stream(head):
    """The run hears of it; afterwards there is nothing to stop."""
    store = MemoryStore()
    log = await store.open("chat", head)
    waiting = asyncio.create_task(log.stop_requested())
    assert await store.stop("chat") == "stopping"
    await waiting
    await log.end("stopped")
    assert await store.stop("chat") == "ended"


async def test_a_stop_waits_for_the_stream(head):
    """A stop that overtakes the request stops the run that the request begins, and no other."""
    store = MemoryStore()
    assert await store.stop("chat") == "pending"
    log = await store.open("chat", head)
    await log.stop_requested()
    await log.end("stopped")
    again = await store.open("chat", head)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(again.stop_requested(), 0.01)


async def test_a_stop_does_not_wait_for_ever(head):
    """A wish that nobody needed is forgotten."""
    store = MemoryStore(stop_patience=1e-9)
    await store.stop("chat")
    log = await store.open("chat", head)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(log.stop_requested(), 0.01)


async def test_stops_that_wait_are_bounded():
    """Whoever makes ids up costs no memory."""
    store = MemoryStore()
    for name in range(10_100):
        await store.stop(str(name))
    assert len(store._wishes) == 10_000


async def test_a_stream_is_kept_for_its_time(head):
    """After it, the stream is gone, without anybody asking for it."""
    store = MemoryStore(ttl=0.02)
    await _kept(store, "chat", head, b"a")
    await store.read("chat")
    async with asyncio.timeout(5):
        while store._logs:  # noqa: ASYNC110 - a timer has no event to wait for
            await asyncio.sleep(0.01)
    with pytest.raises(StreamGoneError):
        await store.read("chat")
    assert (store._ended_bytes, len(store._ended)) == (0, 0)


async def test_the_oldest_make_room_by_number(head):
    """Running streams do not count, and are never dropped."""
    store = MemoryStore(max_streams=2)
    await store.open("running", head)
    for name in "abc":
        await _kept(store, name, head, b"x")
    for name in ("running", "b", "c"):
        await store.read(name)
    with pytest.raises(StreamGoneError):
        await store.read("a")


async def test_the_oldest_make_room_by_size(head):
    """All that have ended are together no larger than the bound."""
    store = MemoryStore(max_bytes=10)
    await _kept(store, "a", head, b"12345")
    await _kept(store, "b", head, b"12345")
    await store.read("a")
    await _kept(store, "c", head, b"1")
    with pytest.raises(StreamGoneError):
        await store.read("a")
    await store.read("b")


async def test_a_reader_reads_on_what_made_room(head, read_all):
    """A stream that was dropped while somebody reads it is read to its end."""
    store = MemoryStore(max_streams=1)
    await _kept(store, "a", head, b"1", b"2")
    reader = await store.read("a")
    await _kept(store, "b", head, b"3")
    assert [entry.data for entry in await read_all(reader)] == [b"1", b"2", b""]


async def test_a_stream_is_bounded_and_still_ends(head, read_all):
    """What exceeds the bound is refused, and the ending has room."""
    store = MemoryStore(max_stream_bytes=3)
    log = await store.open("chat", head)
    await log.append([b"ab"])
    with pytest.raises(LimitExceededError, match="larger than 3 bytes"):
        await log.append([b"cd"])
    await log.end("failed", [b"too long"])
    assert [entry.data for entry in await read_all(await store.read("chat"))] == [b"ab", b"too long"]


async def test_closing_forgets_what_has_ended(head):
    """No timer outlives the store."""
    store = MemoryStore()
    await _kept(store, "chat", head, b"a")
    await store.aclose()
    with pytest.raises(StreamGoneError):
        await store.read("chat")
    assert not store._ended
