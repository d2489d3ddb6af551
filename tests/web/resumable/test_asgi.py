"""A log as a response over ASGI."""

import asyncio

import attrs
import pytest

from streamkit import ConfigurationError, TruncatedStreamError
from streamkit.stores import LogHead
from streamkit.web.resumable import MemoryStore
from streamkit.web.resumable.asgi import respond


class _Client:
    """What a server tells of its client, and what was sent to it."""

    def __init__(self):
        self.sent = []
        self.left = asyncio.Event()
        self.reads = True

    async def receive(self):
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message):
        self.sent.append(message)
        if not self.reads and message["type"] == "http.response.body":
            await asyncio.Event().wait()

    @property
    def body(self):
        return b"".join(message.get("body", b"") for message in self.sent)


@pytest.fixture
def client():
    """Return a client that reads and stays."""
    return _Client()


async def test_a_whole_log(client, head):
    """The head of the log, headers of the response, the body, and an end that is an end."""
    store = MemoryStore()
    log = await store.open("chat", head)
    await log.end("finished", [b"data: a\n\n"])
    await respond(await store.read("chat"), {"x-request-id": "7"}, client.receive, client.send)
    start, *_, last = client.sent
    assert start["status"] == 200
    assert dict(start["headers"]) == {
        b"content-type": b"text/event-stream",
        b"cache-control": b"no-cache, no-transform",
        b"x-accel-buffering": b"no",
        b"x-request-id": b"7",
    }
    assert client.body == f"id: {log.epoch}-1\ndata: a\n\n".encode()
    assert not last.get("more_body")


async def test_a_client_that_leaves(client, head):
    """Its response ends at once, and the log is none the wiser."""
    store = MemoryStore()
    log = await store.open("chat", head)
    responding = asyncio.create_task(respond(await store.read("chat"), {}, client.receive, client.send))
    client.left.set()
    await asyncio.wait_for(responding, 5)
    assert not log.stop.is_set()
    assert client.sent == []


async def test_a_client_that_takes_nothing(client, head):
    """It has its time, and then its connection is broken."""
    store = MemoryStore()
    log = await store.open("chat", head)
    await log.append([b"data: a\n\n"])
    client.reads = False
    with pytest.raises(TimeoutError):
        await respond(await store.read("chat"), {}, client.receive, client.send, send_timeout=0.01)


async def test_silence_before_the_first_entry(client, head):
    """The response begins with the format's word for it, before a proxy gives up."""
    store = MemoryStore()
    log = await store.open("chat", attrs.evolve(head, keep_alive=b":\n\n"))
    reader = await store.read("chat")
    asyncio.get_running_loop().call_later(0.05, client.left.set)
    await respond(reader, {}, client.receive, client.send, keep_alive=0.01)
    assert client.body.startswith(b":\n\n")
    assert not log.ended


@pytest.mark.parametrize("ending", ["finished", "failed"])
async def test_a_response_that_is_another(client, ending):
    """What the check raises is raised before a byte has been sent, whatever the log says."""
    store = MemoryStore()
    log = await store.open("chat", LogHead(headers={"content-type": "text/plain"}))
    await log.end(ending)

    def check():
        raise ConfigurationError("another")

    with pytest.raises(ConfigurationError, match="another"):
        await respond(await store.read("chat"), {}, client.receive, client.send, check=check)
    assert client.sent == []


async def test_an_end_without_words(client):
    """The body is not ended, so that the server breaks the connection."""
    store = MemoryStore()
    log = await store.open("chat", LogHead(headers={"content-type": "text/plain"}))
    await log.append([b"a"])
    await log.end("failed")
    with pytest.raises(TruncatedStreamError):
        await respond(await store.read("chat"), {}, client.receive, client.send)
    assert client.body == b"a"
    assert client.sent[-1]["more_body"]
