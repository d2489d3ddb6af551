"""The body of a response that reads a log."""

import asyncio
import re

import attrs
import pytest

from streamkit import StreamGoneError, TruncatedStreamError
from streamkit.stores import LogEntry, LogHead
from streamkit.web.resumable import MemoryStore, stream_bytes


class _Reader:
    """A reader that gives batches and raises errors."""

    def __init__(self, head, *batches):
        self.head = head
        self.ended = False
        self._batches = iter(batches)

    def __aiter__(self):
        return self

    async def __anext__(self):
        for batch in self._batches:
            if isinstance(batch, Exception):
                raise batch
            return batch
        raise StopAsyncIteration


@pytest.fixture
def plain():
    """Return the head of a stream of plain text."""
    return LogHead(headers={"content-type": "text/plain; charset=utf-8"})


async def test_each_event_has_its_id(head):
    """The id is that of the entry, and what is there at once goes out at once."""
    store = MemoryStore()
    log = await store.open("chat", head)
    await log.append([b"data: a\n\n", b"data: b\n\n"])
    await log.end("finished", [b"data: [DONE]\n\n"])
    body = [data async for data in stream_bytes(await store.read("chat"))]
    epoch = log.epoch
    assert body == [f"id: {epoch}-1\ndata: a\n\nid: {epoch}-2\ndata: b\n\nid: {epoch}-3\ndata: [DONE]\n\n".encode()]


async def test_plain_text_has_no_ids(plain):
    """Where the protocol has no place for them."""
    store = MemoryStore()
    log = await store.open("chat", plain)
    await log.append([b"a", b"b"])
    await log.end("finished")
    assert [data async for data in stream_bytes(await store.read("chat"))] == [b"ab"]


async def test_silence_is_kept_alive(head):
    """In the format's own word, as often as it takes; and nothing is lost by it."""
    store = MemoryStore()
    log = await store.open("chat", attrs.evolve(head, keep_alive=b":\n\n"))
    body = stream_bytes(await store.read("chat"), keep_alive=0.01)
    assert [await anext(body), await anext(body)] == [b":\n\n", b":\n\n"]
    await log.append([b"data: a\n\n"])
    assert await anext(body) == f"id: {log.epoch}-1\ndata: a\n\n".encode()


async def test_a_format_without_a_word_for_silence_is_silent(plain):
    """Plain text cannot say nothing."""
    store = MemoryStore()
    log = await store.open("chat", plain)
    reading = asyncio.create_task(anext(stream_bytes(await store.read("chat"), keep_alive=0.001)))
    await asyncio.sleep(0.01)
    await log.append([b"a"])
    assert await reading == b"a"


async def test_a_hole_is_never_silent(head):
    """The body ends with an event that says so in the stream's own protocol."""
    reader = _Reader(head, [LogEntry(1, 1, b"data: a\n\n")], StreamGoneError("no"))
    body = b"".join([data async for data in stream_bytes(reader)])
    assert re.fullmatch(rb"id: 1-1\ndata: a\n\nevent: gap\ndata: lost\n\n", body)


@pytest.mark.parametrize(
    "batch", [[LogEntry(1, 2, b"", "failed")], [LogEntry(2, 0, b"", "lost")], StreamGoneError("no")]
)
async def test_an_end_without_words_breaks_the_connection(plain, batch):
    """A clean end of plain text would say that it is all."""
    body = stream_bytes(_Reader(plain, [LogEntry(1, 1, b"a")], batch))
    assert await anext(body) == b"a"
    with pytest.raises(TruncatedStreamError):
        await anext(body)
