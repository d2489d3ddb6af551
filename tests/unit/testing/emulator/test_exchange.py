"""What goes over the wire, seen by clients that look closely."""

import socket

import pytest

from streamkit.testing import EmulatedEndpoint, Response, ScriptedToken
from streamkit.testing.emulator.dialects._tgi_streams import TgiAnswer

SCRIPT = ["Hello", " world", ScriptedToken("</s>", special=True)]


class TestStream:
    """Generated answers."""

    def test_each_token_is_one_http_chunk(self, ask, read_until):
        """As engines do, and as a reader must be able to take."""
        with EmulatedEndpoint(SCRIPT) as server, ask(server) as connection:
            _, _, body = read_until(connection, b"0\r\n\r\n").partition(b"\r\n\r\n")
        sizes = [int(line, 16) for line in body.split(b"\r\n")[::2] if line]
        events = body.split(b"\r\n")[1::2]
        assert len(sizes) == 4
        assert [event.startswith(b"data: {") and event.endswith(b"}\n\n") for event in events[:3]] == [True] * 3

    def test_the_headers_leave_before_the_first_token(self, ask, read_until):
        """A client knows that it is heard while the model thinks."""
        with EmulatedEndpoint(SCRIPT, gate=True) as server, ask(server) as connection:
            head = read_until(connection, b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 OK\r\n")
        assert b"Content-Type: text/event-stream\r\n" in head
        assert b"X-Accel-Buffering: no\r\n" in head

    def test_the_server_says_that_it_is_an_emulator(self, post):
        """Nobody takes its answers for a model's."""
        with EmulatedEndpoint(SCRIPT) as server:
            headers = post(server, "/generate", {"inputs": "x"}).headers
        assert headers["Server"] == "streamkit-emulator (not an inference engine)"

    def test_silence_is_filled_with_comments(self, ask, read_until, monkeypatch):
        """TGI sends one after every 15 seconds without a token; here sooner."""
        monkeypatch.setattr(TgiAnswer, "keep_alive", (0.02, b":\n\n"))
        with EmulatedEndpoint(SCRIPT, gate=True) as server, ask(server) as connection:
            read_until(connection, b"3\r\n:\n\n\r\n", 2)
            server.release(3)
            assert b'"index":3' in read_until(connection, b"0\r\n\r\n")

    def test_a_client_of_http_1_0_gets_an_unchunked_body(self, read_all):
        """The end of the connection is the end of the body then."""
        with EmulatedEndpoint(SCRIPT) as server:
            host, port = server.url.removeprefix("http://").split(":")
            with socket.create_connection((host, int(port)), timeout=5) as connection:
                head = b"POST /generate_stream HTTP/1.0\r\nContent-Type: application/json\r\nContent-Length: 14\r\n\r\n"
                connection.sendall(head + b'{"inputs":"x"}')
                assert b"\r\n\r\ndata: {" in read_all(connection)


class TestRespond:
    """Responses of a test's own."""

    @pytest.mark.parametrize(
        "response",
        [
            Response(status=429, headers={"Retry-After": "2"}, body="slow down"),
            Response.json({"error": "loading"}, 503, {"X-Scaled": "no"}),
            Response(status=200, body="<html>Sign in</html>", content_type="text/html"),
            Response(status=307, headers={"Location": "http://127.0.0.1:1/"}),
            Response(status=200, body=b"", content_type=None),
        ],
    )
    def test_a_response_is_sent_as_it_is(self, post, response):
        """Whatever a proxy or a captive portal may answer can be played."""
        with EmulatedEndpoint(respond=response) as server:
            answer = post(server, "/any/where", {"inputs": "x"})
        assert (answer.status, answer.text.encode()) == (response.status, response.body)
        assert answer.headers.get("Content-Type", None if response.content_type is None else "") in {
            response.content_type,
            "application/octet-stream",
        }
        assert response.headers.items() <= dict(answer.headers).items()

    def test_a_function_answers_some_requests_and_leaves_others(self, post):
        """The third try succeeds."""

        def respond(_seen):
            return Response(status=503) if len(server.requests) < 3 else None

        with EmulatedEndpoint(SCRIPT, respond=respond) as server:
            statuses = [post(server, "/generate", {"inputs": "x"}).status for _ in range(3)]
        assert statuses == [503, 503, 200]

    def test_a_cut_body_has_no_terminating_chunk(self, ask, read_all):
        """The connection ends and the body does not."""
        response = Response(body="data: {}\n\n", content_type="text/event-stream", cut=True)
        with EmulatedEndpoint(respond=response) as server, ask(server) as connection:
            seen = read_all(connection)
            request = server.wait_for_request()
            assert request.done.wait(5)
        assert seen.endswith(b"a\r\ndata: {}\n\n\r\n")
        assert not request.client_left.is_set()

    def test_a_promised_length_can_be_broken(self, ask, read_all):
        """Fewer bytes arrive than the header said."""
        response = Response(headers={"Content-Length": "100"}, body="short", cut=True)
        with EmulatedEndpoint(respond=response) as server, ask(server) as connection:
            head, _, body = read_all(connection).partition(b"\r\n\r\n")
        assert b"Content-Length: 100" in head
        assert body == b"short"

    def test_what_it_raises_is_raised_at_the_end(self, post):
        """As with a script."""

        def respond(_seen):
            raise LookupError("no such answer")

        with pytest.raises(LookupError, match="no such answer"), EmulatedEndpoint(respond=respond) as server:
            assert post(server, "/", {}).status == 500
