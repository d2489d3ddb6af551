"""One history for every reader, whichever process it asks."""

import asyncio
import traceback

import pytest
from streamkit import ConfigurationError, LimitExceededError, StoreError, StreamGoneError, StreamRunningError
from streamkit.testing import assert_one_history, assert_store_contract

from streamkit_redis import RedisStore


async def _kept(store, name, head, *data):
    log = await store.open(name, head)
    await log.append(data)
    await log.end("finished", [b"data: [DONE]\n\n"])
    return log


@pytest.mark.parametrize("shared", [True, False], ids=["two processes", "one"])
def test_it_keeps_the_laws_of_stores(server, shared):
    """Written in one process, and read and stopped in another; and all in one."""
    assert_store_contract(
        lambda: RedisStore(url=server.url, lease=9, patience=6, batch_seconds=0.005), shared=shared, examples=20
    )


@pytest.mark.parametrize("turn", [1, 2, 7, 100])
async def test_readers_come_back_at_every_id(make_store, head, read_all, read_in_turns, turn):
    """While it runs, and to another process each time: each entry once, in order."""
    here, there, elsewhere = make_store(), make_store(), make_store()
    log = await here.open("chat", head)
    readings = [
        asyncio.create_task(read_in_turns(stores, "chat", turn))
        for stores in ([here], [there], [there, here], [here, there, elsewhere])
    ]
    for number in range(200):
        await log.append([b"%d" % number])
        if number % 10 == 0:
            await asyncio.sleep(0.001)
    await log.end("finished")
    assert len(assert_one_history([await reading for reading in readings])) == 201


async def test_a_slow_reader_gets_everything(make_store, head, read_all):
    """One that is further behind than what is held in memory reads on from Redis."""
    here, there = make_store(), make_store()
    log = await here.open("chat", head)
    slow = [await here.read("chat"), await there.read("chat")]
    live = asyncio.create_task(read_all(await there.read("chat")))
    for number in range(1000):
        await log.append([b"%d" % number])
    await log.end("finished")
    await live
    assert len(log.tail._entries) <= 128
    readings = [await live, *[await read_all(reader) for reader in slow]]
    assert [len(reading) for reading in readings] == [1001] * 3
    assert_one_history(readings)


async def test_an_ended_stream_gives_way(make_store, head, read_all):
    """The next run has ids of its own, and those of the former are gone; who still reads the former gets its end."""
    here, there = make_store(), make_store()
    first = await here.open("chat", head)
    await first.append([b"a"])
    old = asyncio.create_task(read_all(await there.read("chat")))
    await first.end("stopped", [b"end"])
    second = await here.open("chat", head)
    await second.append([b"b"])
    assert [entry.data for entry in await old] == [b"a", b"end"]
    await second.end("finished", [b"end"])
    for store in (here, there):
        assert [entry.data for entry in await read_all(await store.read("chat"))] == [b"b", b"end"]
        with pytest.raises(StreamGoneError):
            await store.read("chat", (first.tail.epoch, 1))


async def test_a_former_run_is_trimmed(make_store, head, server):
    """Its entries do not stay under the id for as long as the conversation lasts."""
    store = make_store()
    await _kept(store, "chat", head, *[b"x"] * 50)
    log = await store.open("chat", head)
    async with asyncio.timeout(5):
        while server.say("XLEN", "sk:{chat}:log") != ":1":  # noqa: ASYNC110 - Redis has no event for it
            await asyncio.sleep(0.01)
    await log.append([b"a"])
    await log.end("finished")


async def test_two_producers_race(make_store, head, read_all):
    """A hundred times: one of them runs, the other is refused, and there is one history."""
    here, there = make_store(), make_store()
    for number in range(100):
        name = f"race-{number}"
        opened = await asyncio.gather(*(store.open(name, head) for store in (here, there)), return_exceptions=True)
        (log,) = [each for each in opened if not isinstance(each, Exception)]
        assert sum(isinstance(each, StreamRunningError) for each in opened) == 1
        await log.append([b"a"])
        await log.end("finished")
        assert_one_history([await read_all(await store.read(name)) for store in (here, there)])


async def test_a_stop_does_not_wait_for_ever(make_store, head):
    """A wish that nobody needed is forgotten."""
    store = make_store(stop_patience=0.02)
    await store.stop("chat")
    await asyncio.sleep(0.05)  # Redis counts the time
    log = await store.open("chat", head)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(log.stop_requested(), 0.02)


async def test_a_stream_is_bounded_and_still_ends(make_store, head, read_all):
    """What exceeds the bound is refused, and the ending has room."""
    store = make_store(max_stream_bytes=3)
    log = await store.open("chat", head)
    await log.append([b"ab"])
    with pytest.raises(LimitExceededError, match="larger than 3 bytes"):
        await log.append([b"cd"])
    await log.end("failed", [b"too long"])
    assert [entry.data for entry in await read_all(await make_store().read("chat"))] == [b"ab", b"too long"]


async def test_nothing_is_left_after_its_time(make_store, head, server):
    """Every key of a stream has a time to live, also of one that was stopped and one that nobody began."""
    store = make_store(ttl=0.1, lease=0.2, patience=0.1, stop_patience=0.1)
    await _kept(store, "a", head, b"a")
    log = await store.open("b", head)
    await make_store(stop_patience=0.1).stop("b")
    await log.end("stopped")
    await store.stop("c")
    reader = await store.read("a")
    async with asyncio.timeout(5):
        while server.say("DBSIZE") != ":0":  # noqa: ASYNC110 - Redis has no event for it
            await asyncio.sleep(0.02)
    with pytest.raises(StreamGoneError):
        await store.read("a")
    with pytest.raises(StreamGoneError):
        await reader.__anext__()


async def test_a_long_run_outlives_its_time_to_live(make_store, head, read_all):
    """A log lasts while its producer does, even if it says nothing for long."""
    store = make_store(ttl=0.3)
    log = await store.open("chat", head)
    await log.append([b"a"])
    await asyncio.sleep(0.8)  # Redis counts the time
    await log.append([b"b"])
    await log.end("finished")
    assert len(await read_all(await make_store().read("chat"))) == 3


def test_patience_is_less_than_the_lease():
    """A run that still tries would be declared dead."""
    with pytest.raises(ConfigurationError, match="patience"):
        RedisStore(lease=5, patience=5)


def test_a_password_is_not_shown():
    """The URL may have one."""
    assert "secret" not in repr(RedisStore(url="redis://user:secret@localhost"))


@pytest.mark.parametrize("url", ["localhost:6379", "http://localhost", "redis://:canary/canary@host"])
def test_a_url_that_is_none(url):
    """The message does not quote it, since it may have a password."""
    with pytest.raises(ConfigurationError, match="no address of a Redis") as caught:
        RedisStore(url=url)
    assert "canary" not in "".join(traceback.format_exception(caught.value))


async def test_a_redis_that_does_not_answer(start_server):
    """Each question is answered by an error that says what could not be done."""
    server = start_server()
    server.kill()
    store = RedisStore(url=server.url)
    for asking in (store.open("chat", None), store.read("chat"), store.stop("chat")):
        with pytest.raises(StoreError, match="stream 'chat'"):
            await asking
    await store.aclose()
