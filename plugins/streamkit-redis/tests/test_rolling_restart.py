"""Gateways are restarted, and die, while their streams are read through nginx: what every client has in the end."""

from __future__ import annotations

import asyncio
import itertools
import math
import re
from contextlib import contextmanager

import aiohttp
import pytest
from streamkit.testing import EmulatedEndpoint, assert_one_history

from clients import Client
from fleet import NGINX, gateways, nginx

CLIENTS = 40
LENGTH = 50
PACE = 0.04  # seconds between two tokens

needs_nginx = pytest.mark.skipif(NGINX is None, reason="there is no nginx on the path: apt install nginx")


def said(name):
    """Return what the model says to a prompt: no two streams, and no two tokens of one, are the same."""
    return [f"{name}:{number} " for number in range(LENGTH)]


@contextmanager
def model(*, gate=False):
    """Run a model that says a word every few milliseconds."""
    with EmulatedEndpoint(lambda seen: said(seen.body["inputs"]), pace=PACE, gate=gate) as endpoint:
        yield endpoint


@pytest.fixture
async def session():
    """Return connections for clients, as many as they want."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        yield session


async def check(clients, url):
    """Each client has one history with one ending, the same that is kept, and the words of its own stream alone."""
    for client in clients:
        assert_one_history([client.entries, kept := await client.replay(url)])
        assert client.entries == kept
        whole = "".join(said(client.name))
        assert client.text == whole if client.told == "finished" else whole.startswith(client.text)


@needs_nginx
async def test_a_rolling_restart(server, session, tmp_path):
    """All four are restarted in turn under forty streams: nothing is lost, nothing comes twice, each has one end."""
    with (
        model() as endpoint,
        gateways(tmp_path, server.url, endpoint.url) as workers,
        nginx(tmp_path, [worker.port for worker in workers]) as url,
    ):
        done, read = asyncio.Event(), []

        async def ask_on(number):
            for turn in itertools.count():
                if done.is_set():
                    return
                read.append(await Client(session, url, f"{number}-{turn}").read())

        asking = [asyncio.create_task(ask_on(number)) for number in range(CLIENTS)]
        for worker in workers:
            await asyncio.to_thread(worker.stop)
            worker.start()
            await asyncio.to_thread(worker.wait)
        done.set()
        await asyncio.gather(*asking)
        assert {client.told for client in read} == {"finished"}
        assert len(endpoint.requests) == len(read)
        await check(read, workers[0].url)


@needs_nginx
async def test_one_is_killed(server, session, tmp_path):
    """The streams that it produced end with `lost`, once; all others are whole, also those that were read there."""
    with (
        model(gate=True) as endpoint,
        gateways(tmp_path, server.url, endpoint.url, lease=3) as workers,
        nginx(tmp_path, [worker.port for worker in workers]) as url,
    ):
        clients = [Client(session, url, f"{number}") for number in range(CLIENTS)]
        reading = [asyncio.create_task(client.read()) for client in clients]
        endpoint.release(10)
        for client in clients:
            await client.begun.wait()
        async with session.get(f"{workers[0].url}/metrics") as response:
            (active,) = re.findall(
                r'^streamkit_streams_active{pipeline="travel"} (\d+)', await response.text(), re.MULTILINE
            )
        workers[0].kill()
        endpoint.release(math.inf)
        await asyncio.gather(*reading)
        lost = [client for client in clients if client.told == "failed"]
        assert len(lost) == int(active) > 0
        assert {client.entries[-1].end for client in lost} == {"lost"}
        assert len(endpoint.requests) == CLIENTS
        await check(clients, workers[1].url)


async def test_a_grace_that_is_too_short(server, session, tmp_path):
    """Whoever reads, there or elsewhere, has the text so far and one end in the words of the protocol."""
    with model(gate=True) as endpoint, gateways(tmp_path, server.url, endpoint.url, count=2, grace=0.5) as workers:
        here, there = (Client(session, worker.url, "chat", stays=True) for worker in workers)
        reading = [asyncio.create_task(here.read())]
        endpoint.release(10)
        await here.begun.wait()
        reading.append(asyncio.create_task(there.read()))
        await there.begun.wait()
        await asyncio.to_thread(workers[0].stop)
        await asyncio.gather(*reading)
        assert here.entries == there.entries
        assert here.entries[-1].end == "failed"
        assert here.text == "".join(said("chat")[:10])
        await check([here, there], workers[1].url)
