"""The writing end: one ending on every path, and never one that says more than is true."""

import asyncio

import pytest

from streamkit import FencedError, GenerationError, StoreError
from streamkit.formats import Text, Tgi, UIMessage
from streamkit.testing.histories import assert_one_history
from streamkit.web.resumable import MemoryStore
from streamkit.web.resumable.producing import head_of, produce


class _Faulty:
    """A log that raises from an append on."""

    def __init__(self, log, error, good=2):
        self._log = log
        self._error = error
        self._good = good

    async def append(self, data):
        self._good -= 1
        if self._good < 0:
            raise self._error
        await self._log.append(data)

    async def end(self, ending, data=()):
        await self._log.end(ending, data)

    async def stop_requested(self):
        await self._log.stop_requested()


@pytest.fixture
async def kept(head):
    """Return a store with an open log, and the log."""
    store = MemoryStore()
    return store, await store.open("chat", head)


@pytest.fixture
def history(kept, read_all):
    """Return a function that reads the log and checks it."""

    async def history():
        return assert_one_history([await read_all(await kept[0].read("chat"))])

    return history


async def test_a_whole_answer_is_finished(kept, model, history):
    """Each event is an entry, and the last one has the ending."""
    model.say("Walk", " on", None)
    await produce(model.stream(), Tgi().encoder(), kept[1])
    entries = await history()
    assert [entry.end for entry in entries] == [None] * (len(entries) - 1) + ["finished"]
    assert all(entry.data.count(b"\n\n") == 1 for entry in entries)
    assert b'" on"' in b"".join(entry.data for entry in entries)


async def test_plain_text_is_kept_as_it_is(kept, model, history):
    """A format without events has entries all the same."""
    model.say("a\n\nb", "c", None)
    await produce(model.stream(), Text().encoder(), kept[1])
    assert [(entry.data, entry.end) for entry in await history()] == [
        (b"a\n\nb", None),
        (b"c", None),
        (b"", "finished"),
    ]


async def test_an_answer_that_breaks_off_is_failed(kept, model, history, caplog):
    """The encoder says so, and not why; the log of the application has it."""
    model.say("Walk", GenerationError("host gpu-7 is out of memory"))
    await produce(model.stream(), UIMessage().encoder(), kept[1])
    entries = await history()
    assert entries[-1].end == "failed"
    body = b"".join(entry.data for entry in entries)
    assert b'"type":"error"' in body
    assert b"gpu-7" not in body
    assert "gpu-7" in caplog.text


async def test_a_mask_that_raises(kept, model, history, caplog):
    """The log has its ending all the same, and never a good one."""

    def mask(error):
        raise ValueError("a mistake in the application")

    model.say("Walk", GenerationError("no"))
    await produce(model.stream(), UIMessage().encoder(mask=mask), kept[1])
    assert (await history())[-1].end == "failed"
    assert "a mistake in the application" in caplog.text


async def test_an_answer_that_never_began(kept, model, history):
    """Its log has nothing but the ending, so that who reads the first batch knows."""
    model.say(GenerationError("no"))
    await produce(model.stream(), Tgi().encoder(), kept[1])
    (entry,) = await history()
    assert entry.end == "failed"


async def test_a_stop_during_the_answer(kept, model, history, read_until):
    """The source is closed at once, and what was said so far stands."""
    store, log = kept
    running = asyncio.create_task(produce(model.stream(), UIMessage().encoder(), log))
    model.say("Walk")
    await read_until(await store.read("chat"), b"Walk")
    assert await store.stop("chat") == "stopping"
    await running
    assert model.closed.is_set()
    entries = await history()
    assert entries[-1].end == "stopped"
    assert b'"type":"abort"' in b"".join(entry.data for entry in entries)


async def test_a_stop_before_the_answer(kept, model, history):
    """Nothing is asked, and the log still begins and ends as its protocol wants."""
    await kept[0].stop("chat")
    await produce(model.stream(), UIMessage().encoder(), kept[1])
    assert model.opened == 0
    entries = await history()
    assert b'"type":"start"' in entries[0].data
    assert entries[-1].end == "stopped"


async def test_a_stop_after_the_answer(kept, model, history):
    """What has finished stays finished."""
    model.say("Walk", None)
    await produce(model.stream(), UIMessage().encoder(), kept[1])
    assert await kept[0].stop("chat") == "ended"
    assert (await history())[-1].end == "finished"


async def test_a_cancelled_task_is_failed(kept, model, history, read_until):
    """A server that shuts down leaves no log without its end."""
    store, log = kept
    running = asyncio.create_task(produce(model.stream(), UIMessage().encoder(), log))
    model.say("Walk")
    await read_until(await store.read("chat"), b"Walk")
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert model.closed.is_set()
    assert (await history())[-1].end == "failed"


async def test_a_run_that_was_declared_dead_writes_nothing(kept, model, caplog):
    """Its place may be another's; the model is stopped."""
    store, log = kept
    model.say("Walk", " on", " and", " on")
    await produce(model.stream(), Tgi().encoder(), _Faulty(log, FencedError("declared dead")))
    assert model.closed.is_set()
    assert not (await store.read("chat")).ended
    assert "declared dead" in caplog.text


@pytest.mark.parametrize("good", range(1, 4))
async def test_a_log_that_lacks_a_token_is_never_finished(kept, model, history, good):
    """Whichever entry could not be kept, the last one too."""
    model.say("a", "b", "c", None)
    await produce(model.stream(), Text().encoder(), _Faulty(kept[1], StoreError("no"), good=good - 1))
    entries = await history()
    assert entries[-1].end == "failed"
    assert len(entries) == good


async def test_an_end_that_cannot_be_kept_is_logged(kept, model, caplog):
    """There is nobody else to tell."""

    class Broken(_Faulty):
        async def end(self, ending, data=()):
            raise StoreError("the disk is full")

    model.say("a", None)
    await produce(model.stream(), Text().encoder(), Broken(kept[1], StoreError("no"), good=9))
    assert "the disk is full" in caplog.text


@pytest.mark.parametrize("form", [UIMessage(), Tgi()], ids=["ui_message", "tgi"])
def test_the_will_says_that_the_stream_failed(form):
    """What readers get in a dead producer's place ends the protocol, and costs the encoder nothing."""
    encoder = form.encoder()
    before = encoder.begin()
    encoder = form.encoder()
    head = head_of(encoder)
    assert b"error" in head.will
    assert head.will.endswith(b"\n\n")
    assert head.headers["content-type"] == "text/event-stream"
    assert len(encoder.begin()) == len(before)


def test_a_format_without_a_word_for_it_has_no_will():
    """Plain text can only break the connection."""
    assert head_of(Text().encoder()).will == b""
