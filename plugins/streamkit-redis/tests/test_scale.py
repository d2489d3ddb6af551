"""Many readers and many runs, on few connections and few commands."""

import asyncio

from streamkit.testing import assert_one_history


async def _number(server, section, name):
    lines = (await asyncio.to_thread(server.say, "INFO", section)).splitlines()
    return int(next(line.split(":")[1] for line in lines if line.startswith(name)))


async def test_a_thousand_readers_on_four_connections(make_store, head, server, read_all):
    """Half of one stream, half of fifty others, in a process that produces none of them."""
    here, there = make_store(), make_store()
    before = await _number(server, "clients", "connected_clients")
    logs = [await here.open(f"chat-{number}", head) for number in range(51)]
    producers = await _number(server, "clients", "connected_clients") - before
    readings = [
        asyncio.create_task(read_all(await there.read(f"chat-{0 if number % 2 else 1 + number % 50}")))
        for number in range(1000)
    ]
    for number in range(20):
        for log in logs:
            await log.append([b"%d" % number])
        await asyncio.sleep(0.01)
    both = await _number(server, "clients", "connected_clients") - before
    for log in logs:
        await log.end("finished")
    async with asyncio.timeout(30):
        done = [await reading for reading in readings]
    assert producers <= 4
    assert both - producers <= 4
    assert all(len(reading) == 21 for reading in done)
    for first in range(51):
        assert_one_history(
            [reading for number, reading in enumerate(done) if (0 if number % 2 else 1 + number % 50) == first]
        )


async def test_runs_share_transactions(make_store, head, server):
    """A hundred runs of one process cost few transactions: a round trip is not paid for each token."""
    store = make_store(batch_seconds=0.02, lease=8, patience=6)
    logs = [await store.open(f"chat-{number}", head) for number in range(100)]
    await asyncio.to_thread(server.say, "CONFIG", "RESETSTAT")
    for number in range(50):
        for log in logs:
            await log.append([b"%d" % number])
        await asyncio.sleep(0.002)
    await asyncio.gather(*(log.end("finished") for log in logs))
    lines = (await asyncio.to_thread(server.say, "INFO", "commandstats")).splitlines()
    calls = {line.split(":")[0]: int(line.split("calls=")[1].split(",")[0]) for line in lines if "calls=" in line}
    assert calls["cmdstat_xadd"] == 100 * 51
    assert calls["cmdstat_exec"] < 60
