"""The store of one process, beyond the contract that it keeps: what has ended makes room, and all is bounded."""

import asyncio

import pytest

from streamkit import LimitExceededError, StreamGoneError
from streamkit.stores.memory import ENTRY_BYTES
from streamkit.web.resumable import MemoryStore


async def _kept(store, name, head, *data):
    log = await store.open(name, head)
    await log.append(data)
    await log.end("finished")
    return log


async def test_a_late_reader_gets_a_long_stream_in_pieces(head):
    """One batch is bounded, so that a slow connection has no whole stream in its buffer."""
    store = MemoryStore()
    await _kept(store, "chat", head, *[b"x"] * 1000)
    sizes = [len(entries) async for entries in await store.read("chat")]
    assert sum(sizes) == 1001
    assert max(sizes) <= 256


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
    """All that have ended take together no more memory than the bound, of which an entry is the larger part."""
    store = MemoryStore(max_bytes=4 * ENTRY_BYTES + 10)  # two of these, each with an end of its own
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
