"""How long a stream is waited for: small limits against servers that stop, ping, drip and keep shaking hands."""

import threading
import time

import pytest

from streamkit import ConnectError, Endpoint, Pipeline, StreamTimeoutError, Timeouts
from streamkit.testing import EmulatedEndpoint, ScriptedToken

PATIENCE = 5.0
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
TOKEN = b'data: {"index":1,"token":{"id":1,"text":"one","logprob":0.0,"special":false}}\n\n'
NEVER = threading.Event()


def chunk(data):
    """Return an HTTP chunk."""
    return b"%x\r\n%b\r\n" % (len(data), data)


FRAMINGS = [(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", chunk), (HEAD + b"\r\n", bytes)]


class Stuck:
    """Sends a beginning, and then something over and over that is no part of an answer.

    Args:
        begin: The beginning; headers and perhaps a token.
        again: What is sent every 20 ms; `None` for nothing.
    """

    def __init__(self, begin, again=None):
        self.begin = begin
        self.again = again
        self.left = threading.Event()

    def __call__(self, connection, _request):
        """Serve a connection until the client leaves."""
        try:
            connection.sendall(self.begin)
            while self.again is not None and not self.left.wait(0.02):
                connection.sendall(self.again)
            assert connection.recv(1) == b""
        finally:
            self.left.set()


def check(played, option, seconds, text=""):
    """Hold a run to a timeout that names its option, and keeps the text."""
    assert type(played.error) is StreamTimeoutError
    assert f"{option}=" in str(played.error)
    assert f"{seconds:g} s" in str(played.error)
    assert played.text == played.error.result.text == text
    assert played.result.outcome == "failed"


class TestFirstToken:
    """From sending the request to the first token."""

    def test_a_server_that_does_not_take_the_question(self, serve):
        """A long one does not fit into the buffers on the way."""
        over = threading.Event()
        server = serve(lambda *_: over.wait(4 * PATIENCE), reads=False)
        timeouts = Timeouts(connect=4 * PATIENCE, first_token=0.2)
        pipeline = Pipeline(Endpoint(server.url, api="tgi", timeouts=timeouts))
        question = "x" * 20_000_000
        try:  # not by `drive`, which waits for the server, too
            with pytest.raises(StreamTimeoutError, match="first_token"):
                pipeline.run(question)
        finally:
            over.set()

    def test_it_counts_when_no_headers_come(self, drive, serve):
        """A server that takes the request and says nothing."""
        stuck = Stuck(b"")
        played = drive(Endpoint(serve(stuck).url, api="tgi", timeouts=Timeouts(first_token=0.2)))
        check(played, "first_token", 0.2)
        assert stuck.left.wait(PATIENCE)

    def test_it_counts_when_headers_drip_in(self, drive, serve):
        """A byte every 20 ms resets nothing."""
        stuck = Stuck(b"HTTP/1.1 200 OK\r\nX-Long: ", b"x")
        check(drive(Endpoint(serve(stuck).url, api="tgi", timeouts=Timeouts(first_token=0.2))), "first_token", 0.2)
        assert stuck.left.wait(PATIENCE)

    def test_it_counts_when_no_token_comes(self, drive):
        """The headers of a stream come at once; they are no token."""
        with EmulatedEndpoint(["one"], gate=True) as server:
            played = drive(Endpoint(server.url, api="tgi", timeouts=Timeouts(first_token=0.2)))
            assert server.requests[0].client_left.wait(PATIENCE)
        check(played, "first_token", 0.2)

    @pytest.mark.parametrize(("head", "framed"), FRAMINGS, ids=["chunked", "until the end"])
    @pytest.mark.parametrize("again", [b":\n\n", b"data:\n\n", b": ping"], ids=["comments", "empty events", "a line"])
    def test_it_counts_when_keep_alives_come(self, drive, serve, head, framed, again):
        """A stuck server that pings is a stuck server."""
        stuck = Stuck(head, framed(again))
        check(drive(Endpoint(serve(stuck).url, api="tgi", timeouts=Timeouts(first_token=0.2))), "first_token", 0.2)
        assert stuck.left.wait(PATIENCE)

    def test_it_counts_while_the_server_is_asked_what_it_is(self, drive, serve):
        """The probe is no way to wait for ever."""
        check(drive(Endpoint(serve(Stuck(b"")).url, timeouts=Timeouts(first_token=0.2))), "first_token", 0.2)

    def test_it_counts_while_a_whole_answer_drips_in(self, drive, serve):
        """JSON in place of a stream."""
        stuck = Stuck(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9999\r\n\r\n", b" ")
        check(drive(Endpoint(serve(stuck).url, api="tgi", timeouts=Timeouts(first_token=0.2))), "first_token", 0.2)


@pytest.mark.parametrize(("head", "framed"), FRAMINGS, ids=["chunked", "until the end"])
class TestBetweenTokens:
    """From one token to the next."""

    @pytest.mark.parametrize("again", [None, b":\n\n"], ids=["silence", "comments"])
    def test_only_a_token_is_a_sign_of_life(self, drive, serve, head, framed, again):
        """Neither silence nor comments are."""
        stuck = Stuck(head + framed(TOKEN), again and framed(again))
        check(
            drive(Endpoint(serve(stuck).url, api="tgi", timeouts=Timeouts(between_tokens=0.2))),
            "between_tokens",
            0.2,
            "one",
        )
        assert stuck.left.wait(PATIENCE)

    def test_a_drip_of_bytes_is_none(self, drive, serve, head, framed):
        """One byte every 20 ms of an event that never ends."""
        stuck = Stuck(head + framed(TOKEN), framed(b"x"))
        check(
            drive(Endpoint(serve(stuck).url, api="tgi", timeouts=Timeouts(between_tokens=0.2))),
            "between_tokens",
            0.2,
            "one",
        )
        assert stuck.left.wait(PATIENCE)


def test_a_drip_inside_the_framing_is_no_sign_of_life(drive, serve):
    """The size of an HTTP chunk that never ends."""
    stuck = Stuck(FRAMINGS[0][0] + chunk(TOKEN), b"0")
    played = drive(Endpoint(serve(stuck).url, api="tgi", timeouts=Timeouts(between_tokens=0.2)))
    check(played, "between_tokens", 0.2, "one")


def test_between_tokens_does_not_begin_before_the_first(drive):
    """A cold model may take its time."""
    with EmulatedEndpoint([ScriptedToken("one", delay=0.3)]) as server:
        played = drive(Endpoint(server.url, api="tgi", timeouts=Timeouts(between_tokens=0.1)))
    assert played.error is None


def test_total_counts_although_tokens_come(drive):
    """An answer without end is ended."""
    with EmulatedEndpoint(["x"] * 2000, pace=0.02) as server:
        begun = time.monotonic()
        played = drive(Endpoint(server.url, api="tgi", timeouts=Timeouts(total=0.3)))
        assert time.monotonic() - begun < 3
        assert server.requests[0].client_left.wait(PATIENCE)
    check(played, "total", 0.3, played.text)
    assert played.text.strip("x") == ""


def test_a_slow_consumer_is_not_blamed_on_the_server(drive):
    """What the server sent in the meantime is read."""
    slow = threading.Event()
    with EmulatedEndpoint(["one", " two", " three"]) as server:
        timeouts = Timeouts(first_token=2, between_tokens=0.1)
        played = drive(Endpoint(server.url, api="tgi", timeouts=timeouts), body=lambda _: slow.wait(0.25))
    assert played.error is None
    assert played.text == "one two three"


def test_a_slow_consumer_that_lets_the_loop_run_is_not_blamed_on_the_server(drive_async):
    """The timer of the stream rings meanwhile, and must not close it."""
    import asyncio

    async def ask(server):
        timeouts = Timeouts(first_token=2, between_tokens=0.1)
        pieces = []
        async with _pipeline(Endpoint(server.url, api="tgi", timeouts=timeouts)).astream("Hi") as stream:
            async for piece in stream:
                pieces.append(piece)
                await asyncio.sleep(0.25)
        return pieces

    with EmulatedEndpoint(["one", " two", " three"]) as server:
        assert asyncio.run(ask(server)) == ["one", " two", " three"]


def _pipeline(source):
    from streamkit import Pipeline

    return Pipeline(source)


def test_a_deadline_works_over_tls_too(drive, serve, tls_context, trusted):
    """A stuck server does not answer the farewell of TLS either."""
    stuck = Stuck(FRAMINGS[0][0] + chunk(TOKEN))
    played = drive(Endpoint(serve(stuck, tls_context).url, api="tgi", timeouts=Timeouts(between_tokens=0.2)))
    check(played, "between_tokens", 0.2, "one")
    assert stuck.left.wait(PATIENCE)


def test_connect_counts_for_the_handshake_of_tls(drive, serve):
    """A server that accepts and then says nothing."""
    server = serve(Stuck(b""))
    url = server.url.replace("http:", "https:")
    begun = time.monotonic()
    played = drive(Endpoint(url, api="tgi", timeouts=Timeouts(connect=0.2)))
    assert type(played.error) is ConnectError
    assert time.monotonic() - begun < 3
