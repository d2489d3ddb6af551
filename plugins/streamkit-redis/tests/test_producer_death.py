"""A producer that dies is noticed, its log ends exactly once, and what comes back too late is refused."""

import asyncio
import random
import signal

import pytest
from streamkit import StreamRunningError
from streamkit.testing import assert_one_history


@pytest.mark.parametrize("seed", range(8))
async def test_a_killed_producer(make_store, start_producer, read_all, read_in_turns, seed):
    """Twenty readers in two processes, half of which keep coming back: all that was kept, and one marker."""
    stores = [make_store(), make_store()]
    producer = start_producer("chat")
    await asyncio.to_thread(producer.wait_for, -1)
    readings = [
        asyncio.create_task(read_in_turns(stores, "chat", 7) if number % 2 else read_all(await store.read("chat")))
        for store in stores
        for number in range(10)
    ]
    await asyncio.to_thread(producer.wait_for, random.Random(seed).randrange(1, 100))  # noqa: S311 - no secret
    producer.send(signal.SIGKILL)
    async with asyncio.timeout(10):
        done = [await reading for reading in readings]
    whole = assert_one_history(done)
    assert all(reading == whole for reading in done)
    assert (whole[-1].end, whole[-1].data, whole[-1].seq) == ("lost", b"data: lost\n\n", 0)
    assert len(whole) - 1 >= producer.kept
    assert [entry.data for entry in whole[:-1]] == [b"data: %d\n\n" % number for number in range(len(whole) - 1)]
    late = await make_store().read("chat")
    assert await read_all(late) == whole
    at_the_end = await make_store().read("chat", (whole[-1].epoch, 0))
    assert at_the_end.ended


async def test_death_is_noticed_in_time(make_store, start_producer, read_all):
    """After the lease has run out and not much later."""
    store = make_store()
    producer = start_producer("chat")
    await asyncio.to_thread(producer.wait_for, 1)
    producer.send(signal.SIGKILL)
    loop = asyncio.get_running_loop()
    killed = loop.time()
    await read_all(await store.read("chat"))
    assert 0.3 < loop.time() - killed < 2.5  # a lease of 0.6 s that was renewed up to 0.2 s before, and a busy machine


async def test_a_sleeping_producer_is_fenced(make_store, start_producer, read_all):
    """Stopped for longer than its lease and woken again: no reader ever sees a token of it behind the marker."""
    stores = [make_store(), make_store()]
    producer = start_producer("chat")
    await asyncio.to_thread(producer.wait_for, 5)
    readings = [asyncio.create_task(read_all(await store.read("chat"))) for store in stores]
    producer.send(signal.SIGSTOP)
    async with asyncio.timeout(10):
        done = [await reading for reading in readings]
    producer.send(signal.SIGCONT)
    assert (await asyncio.to_thread(producer.rest))[-1].startswith("FencedError")
    done += [await read_all(await store.read("chat")) for store in stores]
    whole = assert_one_history(done)
    assert all(reading == whole for reading in done)
    assert whole[-1].end == "lost"


async def test_a_sleeping_producer_whose_place_is_taken(make_store, start_producer, head, read_all):
    """A run that begins under the id after the death has a history of its own, without a token of the sleeper."""
    store = make_store()
    producer = start_producer("chat")
    await asyncio.to_thread(producer.wait_for, 5)
    producer.send(signal.SIGSTOP)
    async with asyncio.timeout(10):
        while True:
            try:
                log = await store.open("chat", head)
                break
            except StreamRunningError:
                await asyncio.sleep(0.05)  # until the lease has run out
    await log.append([b"mine"])
    producer.send(signal.SIGCONT)
    assert (await asyncio.to_thread(producer.rest))[-1].startswith("FencedError")
    await log.append([b"mine, too"])
    await log.end("finished", [b"end"])
    whole = assert_one_history([await read_all(await each.read("chat")) for each in (store, make_store())])
    assert [entry.data for entry in whole] == [b"mine", b"mine, too", b"end"]


async def test_a_run_in_this_process_that_slept(make_store, head, read_all):
    """A process that did nothing for longer than its lease finds its run fenced, and stops it."""
    asleep, awake = make_store(), make_store()
    log = await asleep.open("chat", head)
    await log.append([b"a"])
    here = await asleep.read("chat")
    await here.__anext__()
    for task in asleep._tasks:
        task.cancel()
    there = await read_all(await awake.read("chat"))
    assert [entry.end for entry in there] == [None, "lost"]
    asleep._tasks.clear()
    asleep._work()
    async with asyncio.timeout(5):
        await log.stop_requested()
        assert await read_all(here) == there[1:]


async def test_many_that_notice_write_one_marker(make_store, head, read_all, server):
    """However many processes find the lease missing at once."""
    producer, stores = make_store(), [make_store() for _ in range(10)]
    log = await producer.open("chat", head)
    await log.append([b"a"])
    await (await producer.read("chat")).__anext__()
    await producer.aclose()
    server.say("DEL", "sk:{chat}:lease")
    await asyncio.gather(*(store._declare_dead("chat") for store in stores for _ in range(10)))
    assert server.say("XLEN", "sk:{chat}:log") == ":3"
    entries = assert_one_history([await read_all(await store.read("chat")) for store in stores])
    assert [entry.end for entry in entries] == [None, "lost"]


async def test_an_end_in_time_is_not_taken_for_death(make_store, head, read_all):
    """A lease that is gone says nothing about a log that has its end."""
    store = make_store(lease=0.2, patience=0.1)
    log = await store.open("chat", head)
    await log.end("finished")
    await asyncio.sleep(0.5)  # Redis counts the time
    await make_store()._declare_dead("chat")
    assert [entry.end for entry in await read_all(await make_store().read("chat"))] == ["finished"]


async def test_a_silent_run_is_alive(make_store, head, read_all):
    """A model that thinks for longer than the lease keeps its stream, as its process renews the lease."""
    log = await make_store().open("chat", head)
    reading = asyncio.create_task(read_all(await make_store().read("chat")))
    await asyncio.sleep(1.5)  # Redis counts the time
    await log.append([b"at last"])
    await log.end("finished")
    assert [entry.end for entry in await reading] == [None, "finished"]


async def test_many_that_take_the_place_of_the_dead(make_store, start_producer, head, read_all):
    """Fifty at once, over two connections: one of them runs."""
    store = make_store()
    producer = start_producer("chat")
    await asyncio.to_thread(producer.wait_for, 5)
    producer.send(signal.SIGKILL)
    await asyncio.sleep(1)  # Redis counts the time: the lease runs out
    opened = await asyncio.gather(*(store.open("chat", head) for _ in range(50)), return_exceptions=True)
    (log,) = [each for each in opened if not isinstance(each, StreamRunningError)]
    await log.append([b"mine"])
    await log.end("finished")
    assert [entry.data for entry in await read_all(await make_store().read("chat"))] == [b"mine", b""]
