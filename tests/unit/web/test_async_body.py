"""Bodies on asyncio."""

import asyncio
import threading

import pytest

from streamkit import Pipeline, SinkError, Token, from_iterable
from streamkit.formats import Ndjson, Text, Tgi
from streamkit.web._answer import HIGH_WATER, Answer
from streamkit.web._async_body import AsyncBody
from streamkit.web._response import Setup


def made(stream, encoder=None, **limits):
    """Return a body, and what it will say."""
    encoder = encoder or Text().encoder()
    answer = Answer(encoder)
    return AsyncBody(answer, Setup(stream=stream, pings=bool(encoder.keep_alive), **limits)), answer


async def until(check):
    """Wait until something is so that another task or thread makes so."""
    async with asyncio.timeout(5):
        while not check():  # noqa: ASYNC110 - what is looked at has no event
            await asyncio.sleep(0.001)


class Counted:
    """An endless iterator of tokens that counts how many were taken."""

    def __init__(self):
        self.taken = 0

    def __iter__(self):
        return self

    def __next__(self):
        self.taken += 1
        return Token("x" * 100)


@pytest.mark.parametrize("colour", ["stream", "astream"])
async def test_a_reader_waits_for_a_slow_client(colour):
    """No more is read than the answer may hold, and reading goes on as it is taken."""
    counted = Counted()
    body, answer = made(getattr(Pipeline(from_iterable(counted)), colour)())
    await body.open()
    await until(lambda: answer.full)
    await asyncio.sleep(0.02)
    assert counted.taken <= HIGH_WATER / 100 + 2
    before = counted.taken
    await anext(body)
    await until(lambda: counted.taken >= 2 * before - 2)
    await body.aclose()


@pytest.mark.parametrize("colour", ["stream", "astream"])
async def test_a_client_that_takes_nothing_ends_the_run(colour):
    """The reader gives up, and says so where it can."""
    stream = getattr(Pipeline(from_iterable(Counted())), colour)()
    body, answer = made(stream, Ndjson().encoder(mask=str), send_timeout=0.02)
    await body.open()
    await until(lambda: answer.ended)
    assert b"the client took nothing for 0.02 s" in await anext(body)
    with pytest.raises(StopAsyncIteration):
        await anext(body)
    assert stream.result.outcome == "aborted"
    await body.aclose()


async def test_a_body_that_is_closed_while_it_waits_stops():
    """The source is closed before `aclose` returns."""
    closed = []

    async def silent():
        try:
            yield "a"
            await asyncio.Event().wait()
        finally:
            closed.append(True)

    body, _ = made(Pipeline(from_iterable(silent())).astream())
    await body.open()
    assert await anext(body) == b"a"
    waiting = asyncio.create_task(anext(body, b"over"))
    await asyncio.sleep(0)
    await body.aclose()
    assert await waiting == b"over"
    assert closed


async def test_a_silent_source_opens_the_body_with_a_comment():
    """A proxy would close a connection on which nothing comes."""

    async def silent():
        await asyncio.Event().wait()
        yield ""

    body, _ = made(Pipeline(from_iterable(silent())).astream(), Tgi().encoder(), keep_alive=0.01)
    await body.open()
    assert [await anext(body), await anext(body)] == [b":\n\n", b":\n\n"]
    await body.aclose()


async def test_a_busy_stream_has_no_comments():
    """Comments are for silence only."""

    async def busy():
        for _ in range(20):
            await asyncio.sleep(0.005)
            yield "a"

    body, _ = made(Pipeline(from_iterable(busy())).astream(), Tgi().encoder(), keep_alive=0.08)
    await body.open()
    assert b":\n\n" not in b"".join([data async for data in body])
    await body.aclose()


async def test_a_run_that_is_cancelled_from_within_hangs_nobody():
    """A source may raise what is no error."""

    async def cancelled():
        yield "a"
        raise asyncio.CancelledError

    body, _ = made(Pipeline(from_iterable(cancelled())).astream())
    await body.open()
    assert await anext(body) == b"a"
    with pytest.raises(Exception, match="interrupted"):
        await anext(body)
    await body.aclose()


async def test_words_of_another_thread_wake_the_body():
    """The application's writer may be anywhere."""

    async def silent():
        await asyncio.Event().wait()
        yield ""

    body, answer = made(Pipeline(from_iterable(silent())).astream())
    threading.Timer(0.01, answer.say, [b"hello"]).start()
    await body.open()
    assert await anext(body) == b"hello"
    await body.aclose()


async def test_a_sink_that_fails_is_told():
    """What went wrong at the end of a run is its failure."""

    class Sink:
        def open(self, request):
            return self

        def write(self, event):
            pass

        def close(self, result):
            raise OSError("full")

    body, _ = made((Pipeline(from_iterable(["a"])) | Sink()).astream())
    await body.open()
    assert await anext(body) == b"a"
    with pytest.raises(SinkError, match="full"):
        await anext(body)
    await body.aclose()
