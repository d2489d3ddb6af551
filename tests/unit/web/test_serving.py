"""Responses over ASGI, message by message."""

import asyncio

import pytest

from streamkit import Pipeline, SinkError, from_iterable
from streamkit.web.asgi import NdjsonResponse, StreamingTextResponse, TgiResponse


async def play(response, *, receive=None):
    """Send a response to a client that stays, and return the messages."""
    messages = []

    async def stays():
        await asyncio.Event().wait()

    async def send(message):
        messages.append(message)

    await response({"type": "http"}, receive or stays, send)
    return messages


async def test_a_response_has_a_head_a_body_and_an_end():
    """The last message says that there is no more."""
    start, *bodies, end = await play(StreamingTextResponse(Pipeline(from_iterable(["a", "b"])).astream()))
    assert (start["type"], start["status"]) == ("http.response.start", 200)
    assert (b"content-type", b"text/plain; charset=utf-8") in start["headers"]
    assert b"".join(message["body"] for message in bodies) == b"ab"
    assert all(message["more_body"] for message in bodies)
    assert end == {"type": "http.response.body", "body": b""}


async def test_a_refusal_replaces_headers_of_the_answer():
    """No header is there twice, and those of the application stay."""

    def fails():
        raise ValueError
        yield

    response = TgiResponse(Pipeline(from_iterable(fails())).astream(), headers={"x-mine": "1"})
    start, body = await play(response)
    names = [name for name, _ in start["headers"]]
    assert len(names) == len(set(names))
    assert dict(start["headers"])[b"content-type"] == b"application/json"
    assert dict(start["headers"])[b"x-mine"] == b"1"
    assert start["status"] == 500
    assert "more_body" not in body


async def test_tokens_that_come_together_go_together():
    """One message carries what one read of the source brought."""
    _, *bodies, _ = await play(NdjsonResponse(Pipeline(from_iterable(["a"] * 100)).astream()))
    assert len(bodies) == 1


async def test_nothing_is_sent_to_a_client_that_has_left():
    """Not even the head, if it left before."""

    async def leaves():
        return {"type": "http.disconnect"}

    async def silent():
        await asyncio.Event().wait()
        yield ""

    stream = Pipeline(from_iterable(silent())).astream()
    assert await play(TgiResponse(stream), receive=leaves) == []
    assert stream.result.outcome == "aborted"


async def test_what_comes_of_the_request_is_passed_over():
    """A body that nobody read is not the end of the client."""
    messages = [{"type": "http.request", "body": b"x", "more_body": False}]

    async def receive():
        if messages:
            return messages.pop()
        await asyncio.Event().wait()
        return None

    _, *_, end = await play(StreamingTextResponse(Pipeline(from_iterable(["a"])).astream()), receive=receive)
    assert end["body"] == b""


async def test_a_server_that_cancels_closes_the_stream():
    """At shutdown, for instance; and no task is left behind."""
    reached = asyncio.Event()

    async def silent():
        reached.set()
        await asyncio.Event().wait()
        yield ""

    stream = Pipeline(from_iterable(silent())).astream()
    task = asyncio.create_task(play(TgiResponse(stream)))
    await reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.sleep(0)
    assert stream.result.outcome == "aborted"
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_cut_text_is_raised():
    """The server breaks the connection, after what was said."""

    def cut():
        yield "a"
        raise ValueError("cut")

    messages = []

    async def send(message):
        messages.append(message)

    response = StreamingTextResponse(Pipeline(from_iterable(cut())).astream())
    with pytest.raises(ValueError, match="cut"):
        await response({}, asyncio.Event().wait, send)
    assert [message.get("body") for message in messages] == [None, b"a"]


async def test_a_client_that_takes_nothing_does_not_keep_its_place():
    """The server's `send` waits for such a client for ever; the response does not, and its run is over."""

    async def goes_on():
        while True:
            yield "x"
            await asyncio.sleep(0)

    async def stays():
        await asyncio.Event().wait()

    async def send(message):
        if message["type"] == "http.response.body":
            await asyncio.Event().wait()

    stream = Pipeline(from_iterable(goes_on())).astream()
    with pytest.raises(SinkError, match=r"the client took nothing for 0\.01 s"):
        await StreamingTextResponse(stream, send_timeout=0.01)({"type": "http"}, stays, send)
    assert stream.result.outcome in {"aborted", "failed"}  # by whether there was room for more
    assert asyncio.current_task().cancelling() == 0


async def test_a_client_that_takes_each_piece_late_is_not_given_up():
    """What counts is the time of one piece, and not that of all."""
    loop = asyncio.get_running_loop()
    until = loop.time() + 0.5

    async def stays():
        await asyncio.Event().wait()

    async def send(message):
        await asyncio.sleep(0.05 if loop.time() < until else 0)

    async def goes_on():
        while loop.time() < until:
            yield "x"
            await asyncio.sleep(0.02)

    stream = Pipeline(from_iterable(goes_on())).astream()
    await StreamingTextResponse(stream, send_timeout=0.4)({"type": "http"}, stays, send)
    assert stream.result.outcome == "completed"
