"""How a run ends before its server does: early by a stop sequence, or because the consumer leaves."""

import asyncio
import threading

import pytest

from streamkit import Endpoint, StopSequences, Timeouts
from streamkit.drivers.asynchronous import AsyncStream
from streamkit.drivers.sync import Stream
from streamkit.pipeline import Pipeline
from streamkit.testing import EmulatedEndpoint, ScriptedToken

PATIENCE = 5.0
NEVER = threading.Event()
ENDLESS = ["one", " two", ScriptedToken(" three", gate=NEVER)]
"""Two tokens, and then nothing more comes; the server is in the middle of its answer."""


class LeftError(Exception):
    """What a consumer raises."""


@pytest.mark.parametrize(("engine", "api"), [("tgi", "tgi"), ("tgi", "chat"), ("vllm", "chat"), ("ollama", "ollama")])
def test_a_complete_stop_closes_the_connection_before_the_last_text_is_handed_out(drive, engine, api):
    """However long the consumer takes for it, the model is not paid for."""
    script = ["one", " two STOP", *["x" * 20] * 8, ScriptedToken("!", gate=NEVER)]
    with EmulatedEndpoint(script, engine=engine) as server:
        left = []

        def body(piece):
            if "two" in piece:
                left.append(server.requests[-1].client_left.wait(PATIENCE))

        # The hint is taken away: the server would otherwise stop by itself.
        pipeline = Endpoint(server.url, api=api, model="emulated/tiny") | Silent("STOP")
        played = drive(pipeline, body=body)
        assert not server.requests[-1].answer_complete
    assert left == [True]
    assert played.error is None
    assert played.text == "one two "
    assert (played.result.outcome, played.result.stop) == ("completed", "STOP")


class Silent(StopSequences):
    """Cuts, but tells the server nothing."""

    def prepare(self, request):
        """Add no hint."""
        return request


class TestLeaving:
    """The consumer leaves."""

    def test_a_break_closes_the_connection(self, drive):
        """The text so far is kept."""
        with EmulatedEndpoint(ENDLESS) as server:
            played = drive(Endpoint(server.url, api="tgi"), body=lambda piece: "two" in piece)
            assert server.requests[0].client_left.wait(PATIENCE)
        assert played.error is None
        assert (played.result.outcome, played.result.text) == ("aborted", "one two")

    def test_an_exception_in_the_body_closes_the_connection(self, drive):
        """It reaches the caller as it is."""

        def body(_piece):
            raise LeftError

        with EmulatedEndpoint(ENDLESS) as server:
            played = drive(Endpoint(server.url, api="tgi"), body=body)
            assert server.requests[0].client_left.wait(PATIENCE)
        assert isinstance(played.error, LeftError)
        assert (played.result.outcome, played.result.text) == ("aborted", "one")

    def test_a_stream_that_is_never_iterated_sends_nothing(self, drive, hello):
        """Making it is free, and so is leaving it."""
        pipeline = Pipeline(Endpoint(hello.url, api="tgi"))
        if drive.asynchronous:

            async def leave():
                async with pipeline.astream("Hi") as stream:
                    pass
                return stream

            stream = asyncio.run(leave())
        else:
            with pipeline.stream("Hi") as stream:
                pass
        assert stream.result.outcome == "aborted"
        assert not hello.requests

    def test_a_stream_that_is_made_and_forgotten_sends_nothing(self, drive, hello):
        """There is nothing to warn about either."""
        pipeline = Pipeline(Endpoint(hello.url, api="tgi"))
        stream = pipeline.astream("Hi") if drive.asynchronous else pipeline.stream("Hi")
        assert isinstance(stream, AsyncStream if drive.asynchronous else Stream)
        del stream
        assert not hello.requests

    def test_close_in_the_middle_closes_the_connection_and_keeps_the_text(self, drive):
        """It may be called again, and the block left afterwards."""
        with EmulatedEndpoint(ENDLESS) as server:
            pipeline = Pipeline(Endpoint(server.url, api="tgi"))
            if drive.asynchronous:

                async def close():
                    async with pipeline.astream("Hi") as stream:
                        first = await anext(aiter(stream))
                        await stream.aclose()
                        await stream.aclose()
                        assert asyncio.all_tasks() == {asyncio.current_task()}
                    return first, stream

                first, stream = asyncio.run(close())
            else:
                with pipeline.stream("Hi") as stream:
                    first = next(iter(stream))
                    stream.close()
                    stream.close()
            assert server.requests[0].client_left.wait(PATIENCE)
        assert first == "one"
        assert (stream.result.outcome, stream.result.text) == ("aborted", "one")


class TestCancellation:
    """The consumer's task is cancelled."""

    def test_before_the_first_token_it_closes_the_connection(self, drive_async):
        """The server notices although it has sent nothing."""
        with EmulatedEndpoint(ENDLESS, gate=True) as server:
            played = drive_async.cancel(Endpoint(server.url, api="tgi"), lambda _: server.wait_for_request())
            assert server.requests[0].client_left.wait(PATIENCE)
        assert (played.result.outcome, played.result.text) == ("aborted", "")

    def test_in_the_middle_it_closes_the_connection_and_keeps_the_text(self, drive_async):
        """What had come counts."""

        def two_pieces(played):
            while len(played.pieces) < 2:
                threading.Event().wait(0.002)

        with EmulatedEndpoint(ENDLESS) as server:
            played = drive_async.cancel(Endpoint(server.url, api="tgi"), two_pieces)
            assert server.requests[0].client_left.wait(PATIENCE)
        assert (played.result.outcome, played.result.text) == ("aborted", "one two")

    def test_while_the_server_is_asked_what_it_is_it_closes_the_connection(self, drive_async, serve):
        """The probe is a request like any other."""
        asked, gone = threading.Event(), threading.Event()

        def handle(connection, _request):
            asked.set()
            assert connection.recv(1) == b""
            gone.set()

        server = serve(handle)
        played = drive_async.cancel(Endpoint(server.url), lambda _: asked.wait(PATIENCE))
        assert gone.wait(PATIENCE)
        assert played.result.outcome == "aborted"

    def test_while_the_connection_is_made_nothing_stays_behind(self, drive_async, serve):
        """A server that never answers the TLS handshake is left, too."""

        def handle(_connection, _request):
            raise AssertionError("no request was expected")

        server = serve(handle)
        url = server.url.replace("http:", "https:")  # it reads on, and waits for what it would call a request
        played = drive_async.cancel(Endpoint(url, api="tgi"), lambda _: server.arrived.wait(PATIENCE))
        assert played.result.outcome == "aborted"


def test_streams_of_one_endpoint_at_the_same_time_do_not_disturb_each_other(drive):
    """One is left in the middle while the other goes on."""
    with EmulatedEndpoint(["one", " two", " three"], gate=True) as server:
        endpoint = Endpoint(server.url, api="tgi")
        server.release(1)

        if drive.asynchronous:

            async def both():
                async with Pipeline(endpoint).astream("a") as kept:
                    pieces = [await anext(aiter(kept))]
                    async with Pipeline(endpoint).astream("b") as left:
                        await anext(aiter(left))
                    server.release(9)
                    return pieces + [piece async for piece in kept]

            pieces = asyncio.run(both())
        else:
            with Pipeline(endpoint).stream("a") as kept:
                pieces = [next(iter(kept))]
                with Pipeline(endpoint).stream("b") as left:
                    next(iter(left))
                server.release(9)
                pieces += list(kept)
        assert server.requests[1].client_left.wait(PATIENCE)
    assert pieces == ["one", " two", " three"]


def test_a_stream_is_closed_while_the_server_is_asked_what_it_speaks(serve):
    """From another thread, which need not wait until the server answers."""

    def handle(connection, request):
        assert request.startswith(b"GET /v1/models")
        stream.close()
        assert connection.recv(1) == b""

    stream = Pipeline(Endpoint(serve(handle).url, token=False)).stream("Hi")
    with stream:
        assert list(stream) == []
    assert stream.result.outcome == "aborted"


async def test_an_asynchronous_one_is_too(serve):
    """From another task."""
    server = serve(lambda connection, _: connection.recv(1))
    stream = Pipeline(Endpoint(server.url, token=False)).astream("Hi")

    async def close():
        await asyncio.to_thread(server.arrived.wait, PATIENCE)
        await stream.aclose()

    async with stream:
        closing = asyncio.create_task(close())
        assert [piece async for piece in stream] == []
        await closing
    assert stream.result.outcome == "aborted"


def swallow(connection, _request):
    """Take what comes, and say nothing, until the client is gone."""
    while connection.recv(65536):
        pass


def test_a_stream_is_closed_in_the_handshake_of_tls(serve):
    """The connection is gone at once, and not when the time to connect is over."""

    def handle(connection, request):
        assert connection.recv(1)
        stream.close()
        swallow(connection, request)

    url = serve(handle, reads=False).url.replace("http:", "https:")
    stream = Pipeline(Endpoint(url, api="tgi", token=False, timeouts=Timeouts(connect=6 * PATIENCE))).stream("Hi")
    with stream:
        assert list(stream) == []
    assert stream.result.outcome == "aborted"


async def test_an_asynchronous_one_is_closed_there_too(serve):
    """From another task."""
    server = serve(swallow, reads=False)
    url = server.url.replace("http:", "https:")
    stream = Pipeline(Endpoint(url, api="tgi", token=False, timeouts=Timeouts(connect=6 * PATIENCE))).astream("Hi")

    async def close():
        await asyncio.to_thread(server.arrived.wait, PATIENCE)
        await stream.aclose()

    async with stream:
        closing = asyncio.create_task(close())
        assert [piece async for piece in stream] == []
        await closing
    assert stream.result.outcome == "aborted"


def test_the_asynchronous_transport_refuses_another_event_loop(hello):
    """The message says what to do instead."""
    import trio

    from streamkit import ConfigurationError

    async def ask():
        async with Pipeline(Endpoint(hello.url, api="tgi")).astream("Hi") as stream:
            async for _ in stream:
                pass

    with pytest.raises(ConfigurationError, match="worker thread"):
        trio.run(ask)
