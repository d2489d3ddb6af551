"""Streams that go wrong in the middle: errors, truncation, broken connections, endless events."""

import socket
import struct
import threading
import tracemalloc

import pytest

from streamkit import Endpoint, GenerationError, LimitExceededError, Timeouts, TruncatedStreamError
from streamkit.testing import EmulatedEndpoint, Response

TOKENS = {
    "tgi": b'data: {"index":1,"token":{"id":1,"text":"one","logprob":0.0,"special":false}}\n\n'
    b'data: {"index":2,"token":{"id":2,"text":" two","logprob":0.0,"special":false}}\n\n',
    "chat": b'data: {"choices":[{"index":0,"delta":{"content":"one"}}]}\n\n'
    b'data: {"choices":[{"index":0,"delta":{"content":" two"}}]}\n\n',
    "completions": b'data: {"choices":[{"index":0,"text":"one"}]}\n\ndata: {"choices":[{"index":0,"text":" two"}]}\n\n',
    "ollama": b'{"response":"one","done":false}\n{"response":" two","done":false}\n',
}
"""Two tokens of an answer that is not finished, in each dialect."""
STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
CHUNKED = STREAM + b"Transfer-Encoding: chunked\r\n\r\n"
PATIENCE = 5.0


def chunk(data):
    """Return an HTTP chunk."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def reset(connection):
    """Close a connection by RST."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def endpoint(url, api, **options):
    """Return an endpoint that asks nothing beforehand."""
    return Endpoint(url, api=api, model="some/model", **options)


@pytest.mark.parametrize(
    ("report", "kind"),
    [
        (b'data: {"error":"CUDA out of memory","error_type":"generation"}\n\n', "generation"),
        (b'data: {"error":{"message":"CUDA out of memory","http_status_code":422}}\n\ndata: [DONE]\n\n', "validation"),
        (b'data: {"error":{"message":"CUDA out of memory","type":"InternalServerError","code":500}}\n\n', "server"),
        (b'data: {"object":"error","message":"CUDA out of memory","code":400}\n\n', "validation"),
        (b'data: {"detail":"CUDA out of memory"}\n\n', "server"),
        (b'event: error\ndata: {"message":"CUDA out of memory"}\n\n', "server"),
        (b"event: error\ndata: CUDA out of memory\n\n", "server"),
        (b'error: {"code":500,"message":"CUDA out of memory"}\n\n', "server"),
    ],
    ids=["TGI", "TGI chat", "vLLM", "flat", "detail", "named", "plain", "SSE field"],
)
@pytest.mark.parametrize("api", ["tgi", "chat", "completions"])
def test_an_error_inside_the_stream_is_raised_in_every_shape(drive, api, report, kind):
    """The text so far is kept."""
    with EmulatedEndpoint(respond=Response(body=TOKENS[api] + report, content_type="text/event-stream")) as server:
        played = drive(endpoint(server.url, api))
    assert type(played.error) is GenerationError
    assert "CUDA out of memory" in str(played.error)
    assert played.error.kind == kind
    assert played.text == played.error.result.text == "one two"
    assert (played.result.outcome, played.result.finish_reason) == ("failed", "error")


def test_an_error_inside_a_stream_of_lines_is_raised(drive):
    """Ollama's shape."""
    body = TOKENS["ollama"] + b'{"error":"CUDA out of memory"}\n'
    with EmulatedEndpoint(respond=Response(body=body, content_type="application/x-ndjson")) as server:
        played = drive(endpoint(server.url, "ollama"))
    assert type(played.error) is GenerationError
    assert played.error.result.text == "one two"


@pytest.mark.parametrize("api", list(TOKENS))
class TestTruncation:
    """A stream that was cut is never complete, and its text is not lost."""

    def check(self, played):
        """Hold a run to that."""
        assert type(played.error) is TruncatedStreamError
        assert played.error.result is played.result
        assert played.text == played.result.text == "one two"
        assert played.result.outcome == "failed"

    def test_by_a_clean_end(self, drive, api):
        """The body is whole as HTTP sees it."""
        with EmulatedEndpoint(respond=Response(body=TOKENS[api], content_type=None)) as server:
            self.check(drive(endpoint(server.url, api)))

    def test_by_a_last_chunk_on_a_connection_that_stays_open(self, drive, api, serve):
        """The body has ended; nothing more is waited for."""

        def handle(connection, _request):
            connection.sendall(CHUNKED + chunk(TOKENS[api]) + b"0\r\n\r\n")
            assert connection.recv(1) == b""

        timeouts = Timeouts(between_tokens=3)
        self.check(drive(endpoint(serve(handle).url, api, timeouts=timeouts)))

    def test_by_a_clean_end_of_a_body_without_a_length(self, drive, api, serve):
        """It ends where the connection does, as the bodies of old proxies do."""
        server = serve(lambda connection, _: connection.sendall(STREAM + b"\r\n" + TOKENS[api]))
        self.check(drive(endpoint(server.url, api)))

    def test_by_a_connection_that_ends_between_two_chunks(self, drive, api, serve):
        """The terminating chunk is missing."""
        server = serve(lambda connection, _: connection.sendall(CHUNKED + chunk(TOKENS[api])))
        self.check(drive(endpoint(server.url, api)))

    def test_by_a_connection_that_ends_inside_a_chunk(self, drive, api, serve):
        """Half an event is dropped, not read."""
        server = serve(lambda connection, _: connection.sendall(CHUNKED + chunk(TOKENS[api] + b'data: {"x')[:-9]))
        self.check(drive(endpoint(server.url, api)))

    def test_by_a_length_that_was_promised(self, drive, api, serve):
        """The body is shorter than its `Content-Length`."""
        server = serve(
            lambda connection, _: connection.sendall(STREAM + b"Content-Length: 100000\r\n\r\n" + TOKENS[api])
        )
        self.check(drive(endpoint(server.url, api)))

    @pytest.mark.parametrize("chunked", [True, False], ids=["chunked", "until the end"])
    def test_by_a_reset(self, drive, api, serve, chunked):
        """The connection is gone at once; the reset comes when the consumer has what was sent."""
        got = threading.Event()

        def handle(connection, _request):
            connection.sendall(CHUNKED + chunk(TOKENS[api]) if chunked else STREAM + b"\r\n" + TOKENS[api])
            assert got.wait(PATIENCE)
            reset(connection)

        server = serve(handle)
        self.check(drive(endpoint(server.url, api), body=lambda piece: "two" in piece and got.set()))

    def test_by_an_unfinished_event(self, drive, api):
        """A clean end in the middle of one."""
        body = TOKENS[api] + (b"{" if api == "ollama" else b"data: {")
        with EmulatedEndpoint(respond=Response(body=body, content_type=None)) as server:
            self.check(drive(endpoint(server.url, api)))


class TestFinished:
    """An answer that said it was finished is complete, however its connection ends."""

    FINISH = b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'

    def check(self, played):
        """Hold a run to that."""
        assert played.error is None
        assert played.text == "one two"
        assert (played.result.outcome, played.result.finish_reason) == ("completed", "eos_token")

    def test_without_done(self, drive):
        """Not every provider sends it."""
        with EmulatedEndpoint(respond=Response(body=TOKENS["chat"] + self.FINISH, content_type=None)) as server:
            self.check(drive(endpoint(server.url, "chat")))

    def test_by_a_last_chunk_on_a_connection_that_stays_open(self, drive, serve, monkeypatch):
        """There is no farewell to wait for."""
        monkeypatch.setattr("streamkit.sources._patience.FAREWELL", 30)

        def handle(connection, _request):
            connection.sendall(CHUNKED + chunk(TOKENS["chat"] + self.FINISH) + b"0\r\nX-Trailer: 1\r\n\r\n")
            assert connection.recv(1) == b""

        self.check(drive(endpoint(serve(handle).url, "chat")))

    def test_by_a_connection_that_breaks_afterwards(self, drive, serve):
        """Nothing of the answer is missing."""
        server = serve(lambda connection, _: connection.sendall(CHUNKED + chunk(TOKENS["chat"] + self.FINISH)))
        self.check(drive(endpoint(server.url, "chat")))

    @pytest.mark.parametrize("pings", [False, True], ids=["in silence", "with keep-alive comments"])
    def test_by_a_server_that_keeps_the_connection(self, drive, serve, monkeypatch, pings):
        """The farewell is short, and a server that goes on pinging does not prolong it."""
        monkeypatch.setattr("streamkit.sources._patience.FAREWELL", 0.2)
        gone = threading.Event()

        def handle(connection, _request):
            connection.sendall(CHUNKED + chunk(TOKENS["chat"] + self.FINISH))
            try:
                while pings and not gone.wait(0.02):
                    connection.sendall(chunk(b":\n\n"))
                assert connection.recv(1) == b""
            finally:
                gone.set()

        server = serve(handle)
        self.check(drive(endpoint(server.url, "chat", timeouts=Timeouts(between_tokens=3, total=4))))
        assert gone.wait(PATIENCE)

    def test_usage_that_follows_is_not_lost_on_a_slow_consumer(self, drive, monkeypatch):
        """The farewell counts the server's time, not the consumer's."""
        monkeypatch.setattr("streamkit.sources._patience.FAREWELL", 0.1)
        usage = b'data: {"choices":[],"usage":{"completion_tokens":2}}\n\ndata: [DONE]\n\n'
        last = b'data: {"choices":[{"index":0,"delta":{"content":"!"},"finish_reason":"stop"}]}\n\n'
        slow = threading.Event()
        with EmulatedEndpoint(respond=Response(body=TOKENS["chat"] + last + usage, content_type=None)) as server:
            played = drive(endpoint(server.url, "chat"), body=lambda _: slow.wait(0.15))
        assert played.error is None
        assert played.result.usage.completion_tokens == 2


class TestBounds:
    """What a server can cost."""

    @pytest.mark.parametrize("framing", ["one chunk", "endless length", "until the end"])
    def test_an_endless_event_is_refused_and_the_connection_closed(self, drive, serve, framing):
        """The memory used stays small, whatever sizes the server announces."""
        size = 2**30
        head = {
            "one chunk": CHUNKED + b"%x\r\n" % size,
            "endless length": STREAM + b"Content-Length: %d\r\n\r\n" % size,
            "until the end": STREAM + b"\r\n",
        }[framing]

        def handle(connection, _request):
            connection.sendall(head + TOKENS["chat"] + b"data: ")
            while True:
                connection.sendall(b"x" * 65536)

        server = serve(handle)
        tracemalloc.start()
        try:
            played = drive(endpoint(server.url, "chat"))
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert type(played.error) is LimitExceededError
        assert played.text == "one two"
        assert peak < 8 * 2**20

    def test_text_arrives_although_its_http_chunk_is_not_complete(self, drive, serve):
        """A proxy may announce a chunk larger than what it has."""
        got = threading.Event()

        def handle(connection, _request):
            connection.sendall(CHUNKED + b"10000\r\n" + TOKENS["chat"])
            assert got.wait(PATIENCE)

        server = serve(handle)
        played = drive(endpoint(server.url, "chat"), body=lambda piece: "two" in piece and got.set())
        assert played.text == "one two"
        assert type(played.error) is TruncatedStreamError
