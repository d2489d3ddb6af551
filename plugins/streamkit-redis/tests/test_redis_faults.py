"""Redis itself fails, in the middle of a stream."""

import asyncio
import re

import pytest
from streamkit import StoreError, StreamGoneError
from streamkit.testing import assert_one_history

PATIENT = {"lease": 8.0, "patience": 6.0}


async def _produce(log, count, pause=0.002):
    for number in range(count):
        await log.append([b"%d" % number])
        await asyncio.sleep(pause)
    await log.end("finished", [b"end"])


async def test_redis_is_killed_and_comes_back(make_store, head, server, read_all):
    """With its log on disk, a stream goes on behind the break: nothing lost, nothing twice."""
    here, there = make_store(**PATIENT), make_store(**PATIENT)
    log = await here.open("chat", head)
    readings = [asyncio.create_task(read_all(await store.read("chat"))) for store in (here, there)]
    producing = asyncio.create_task(_produce(log, 600))
    for _ in range(3):
        await asyncio.sleep(0.2)
        await asyncio.to_thread(server.kill)
        await asyncio.sleep(0.1)
        await asyncio.to_thread(server.start)
    async with asyncio.timeout(20):
        await producing
        done = [await reading for reading in readings]
    done.append(await read_all(await there.read("chat")))
    whole = assert_one_history(done)
    assert [entry.data for entry in whole] == [*[b"%d" % number for number in range(600)], b"end"]
    assert all(reading == whole for reading in done)


async def test_redis_forgets(make_store, head, start_server, read_all):
    """Without persistence, a restart loses the stream: the run is stopped, and every reader is told."""
    server = start_server()
    here, there = make_store(url=server.url), make_store(url=server.url)
    log = await here.open("chat", head)
    await log.append([b"a"])
    readers = [await store.read("chat") for store in (here, there)]
    assert [len(await reader.__anext__()) for reader in readers] == [1, 1]
    await asyncio.to_thread(server.kill)
    await asyncio.to_thread(server.start)
    async with asyncio.timeout(10):
        await log.stop_requested()
        with pytest.raises(StoreError, match="restarted"):
            await log.append([b"b"])
        assert [entry.end for entry in await read_all(readers[0])] == ["lost"]
        with pytest.raises(StreamGoneError):
            await readers[1].__anext__()


async def test_redis_forgets_the_tail(make_store, head, server, read_all):
    """A log that lacks entries which readers have seen goes no further, and says so itself."""
    here, there = make_store(), make_store()
    log = await here.open("chat", head)
    await log.append([b"a"])
    await log.append([b"b"])
    reader = await here.read("chat")
    while (entries := await reader.__anext__())[-1].data != b"b":
        pass
    server.say("XDEL", "sk:{chat}:log", entries[-1].id)
    async with asyncio.timeout(10):
        await log.stop_requested()
    assert [entry.end for entry in await read_all(reader)] == ["lost"]
    assert [entry.end for entry in await read_all(await there.read("chat"))] == [None, "lost"]


async def test_a_hole_in_the_middle_is_seen(make_store, head, server):
    """A reader that comes to it is told, and not taken over it."""
    store = make_store()
    log = await store.open("chat", head)
    await log.append([b"%d" % number for number in range(10)])
    await log.end("finished")
    server.say("XDEL", "sk:{chat}:log", f"{log.tail.epoch}-5")
    with pytest.raises(StreamGoneError, match="lost what follows"):
        await (await make_store().read("chat")).__anext__()


async def test_connections_are_killed(make_store, head, server, read_all):
    """Again and again, of writers and readers: nothing lost, nothing twice."""
    here, there = make_store(**PATIENT), make_store(**PATIENT)
    log = await here.open("chat", head)
    readings = [asyncio.create_task(read_all(await store.read("chat"))) for store in (here, there)]
    producing = asyncio.create_task(_produce(log, 300))
    while not producing.done():
        server.say("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        await asyncio.sleep(0.05)
    await producing
    async with asyncio.timeout(10):
        done = [await reading for reading in readings]
    assert len(assert_one_history(done)) == 301
    assert len(done[0]) == len(done[1])


async def test_redis_pauses(make_store, head, server, read_all):
    """For less than the patience: the stream waits, and goes on."""
    here, there = make_store(**PATIENT), make_store(**PATIENT)
    log = await here.open("chat", head)
    readings = [asyncio.create_task(read_all(await store.read("chat"))) for store in (here, there)]
    producing = asyncio.create_task(_produce(log, 200))
    await asyncio.sleep(0.1)
    server.say("CLIENT", "PAUSE", "1500", "ALL")
    async with asyncio.timeout(20):
        await producing
        done = [await reading for reading in readings]
    assert len(assert_one_history(done)) == 201


async def test_redis_is_full_for_a_while(make_store, head, server, read_all):
    """Refused for want of memory, and kept once there is some."""
    store = make_store(**PATIENT)
    log = await store.open("chat", head)
    reading = asyncio.create_task(read_all(await make_store().read("chat")))
    server.say("CONFIG", "SET", "maxmemory", "1")
    producing = asyncio.create_task(_produce(log, 50))
    await asyncio.sleep(0.5)
    assert not producing.done()
    server.say("CONFIG", "SET", "maxmemory", "0")
    async with asyncio.timeout(10):
        await producing
        assert len(assert_one_history([await reading])) == 51


@pytest.mark.parametrize("fault", [("CONFIG", "SET", "maxmemory", "1"), ("REPLICAOF", "127.0.0.1", "1")])
async def test_redis_takes_nothing_any_more(make_store, head, server, read_all, fault):
    """Full, or a replica: the run is stopped, its readers here are told, and so is whoever writes."""
    store = make_store()
    log = await store.open("chat", head)
    reader = await store.read("chat")
    server.say(*fault)
    await log.append([b"never kept"])
    async with asyncio.timeout(10):
        await log.stop_requested()
        assert [entry.end for entry in await read_all(reader)] == ["lost"]
    with pytest.raises(StoreError, match="could not keep"):
        await log.end("stopped")


async def test_a_run_goes_on_without_redis(make_store, head, server, read_all, caplog):
    """If it may: who reads it here gets the rest, and one warning says that nobody can resume it."""
    store = make_store(on_failure="degrade")
    log = await store.open("chat", head)
    await log.append([b"kept"])
    reading = asyncio.create_task(read_all(await store.read("chat")))
    await asyncio.to_thread(server.kill)
    async with asyncio.timeout(20):
        await _produce(log, 100, pause=0.01)
        entries = assert_one_history([await reading])
    assert [entry.data for entry in entries] == [b"kept", *[b"%d" % number for number in range(100)], b"end"]
    assert len(re.findall("without being kept", caplog.text)) == 1
    await asyncio.to_thread(server.start)


async def test_readers_elsewhere_are_told_that_redis_is_gone(make_store, head, server):
    """After the patience, and not for ever later."""
    log = await make_store().open("chat", head)
    await log.append([b"a"])
    reader = await make_store().read("chat")
    await reader.__anext__()
    await asyncio.to_thread(server.kill)
    async with asyncio.timeout(10):
        with pytest.raises(StoreError, match="could not be read"):
            await reader.__anext__()


async def test_a_user_with_few_rights(make_store, head, server, read_all):
    """The commands that the README lists are enough, for keys with the prefix only."""
    commands = (
        "+watch +unwatch +multi +exec +xadd +xread +xrange +xrevrange +xlen +xtrim +set +exists +del +pexpire +time"
    )
    server.say("ACL", "SETUSER", "kit", "on", ">secret", "~sk:*", *commands.split(), "+client|id", "+client|unblock")
    url = f"redis://kit:secret@127.0.0.1:{server.port}"
    here, there = make_store(url=url), make_store(url=url)
    log = await here.open("chat", head)
    reading = asyncio.create_task(read_all(await there.read("chat")))
    await _produce(log, 20)
    assert len(await reading) == 21
    again = await here.open("chat", head)
    assert await there.stop("chat") == "stopping"
    async with asyncio.timeout(5):
        await again.stop_requested()
    await again.end("stopped")
    server.say("DEL", "sk:{chat}:lease")
    dead = await here.open("dead", head)
    await here._declare_dead("dead")
    server.say("DEL", "sk:{dead}:lease")
    await there._declare_dead("dead")
    assert [entry.end for entry in await read_all(await there.read("dead"))] == ["lost"]
    assert dead.tail.epoch
