"""Answers that are no stream: refusals, redirects, web pages, whole answers."""

import email.utils
import time

import pytest

from streamkit import (
    AuthenticationError,
    Endpoint,
    FormatError,
    GenerationError,
    LimitExceededError,
    OverloadedError,
    RateLimitError,
    RequestError,
    Timeouts,
    TruncatedStreamError,
)
from streamkit.testing import EmulatedEndpoint, Response


def refused(drive, response, api="tgi"):
    """Return the error of a run that gets this response."""
    with EmulatedEndpoint(respond=response) as server:
        played = drive(Endpoint(server.url, api=api, model="some/model"))
        assert len(server.requests) == 1
    assert played.result.outcome == "failed"
    assert played.result.error is played.error
    assert played.error.result is played.result
    return played.error


class TestStatuses:
    """HTTP statuses other than 200."""

    @pytest.mark.parametrize(
        ("status", "kind", "words"),
        [
            (400, RequestError, "Say it otherwise"),
            (401, AuthenticationError, "check the token"),
            (403, AuthenticationError, "check the token"),
            (404, RequestError, "no such path or model"),
            (422, RequestError, "Say it otherwise"),
            (429, RateLimitError, "too many requests"),
            (500, OverloadedError, "try again later"),
            (502, OverloadedError, "try again later"),
            (503, OverloadedError, "loading"),
        ],
    )
    def test_each_has_its_error_with_what_the_server_said(self, drive, status, kind, words):
        """The message names the server, the status and what to do."""
        error = refused(drive, Response.json({"error": "Say it otherwise"}, status))
        assert type(error) is kind
        assert error.status == status
        assert "127.0.0.1" in str(error)
        assert f"answered {status}: Say it otherwise" in str(error)
        assert words in str(error)

    @pytest.mark.parametrize("status", [401, 503])
    def test_an_error_without_a_body_is_an_error(self, drive, status):
        """TGI answers 401 without a word."""
        error = refused(drive, Response(status=status, content_type=None))
        assert error.status == status

    def test_what_to_wait_is_told_in_seconds(self, drive):
        """`Retry-After` has two forms; this is the first."""
        error = refused(drive, Response.json({"error": "slow down"}, 429, {"Retry-After": "7"}))
        assert error.retry_after == 7.0

    def test_what_to_wait_is_told_by_a_date(self, drive):
        """The other form."""
        date = email.utils.formatdate(time.time() + 60, usegmt=True)
        error = refused(drive, Response.json({"error": "slow down"}, 429, {"Retry-After": date}))
        assert 50 < error.retry_after <= 61

    def test_what_to_wait_for_a_model_is_told_in_the_body(self, drive):
        """Hugging Face estimates how long loading takes."""
        error = refused(drive, Response.json({"error": "Model is loading", "estimated_time": 20.5}, 503))
        assert error.retry_after == 20.5

    def test_the_probe_is_refused_like_a_question(self, drive):
        """With the time to wait, too."""
        error = refused(drive, Response.json({"error": "slow down"}, 429, {"Retry-After": "7"}), api="auto")
        assert type(error) is RateLimitError
        assert error.retry_after == 7.0

    def test_of_a_huge_error_body_only_the_start_is_read(self, drive):
        """A message has 300 characters at most."""
        error = refused(drive, Response(status=500, body=b"x" * 5_000_000))
        assert len(str(error)) < 600

    def test_an_error_body_that_breaks_off_is_still_an_error(self, drive):
        """What came of it is shown."""
        body = Response(status=503, body="half an exc", headers={"Content-Length": "100"}, cut=True)
        error = refused(drive, body)
        assert type(error) is OverloadedError
        assert "half an exc" in str(error)

    def test_an_error_body_that_never_ends_is_still_that_error(self, drive, serve):
        """The status says more than the timeout."""

        def handle(connection, _request):
            connection.sendall(b"HTTP/1.1 401 No\r\nContent-Length: 100\r\n\r\nnot you")
            assert connection.recv(1) == b""

        server = serve(handle)
        played = drive(Endpoint(server.url, api="tgi", timeouts=Timeouts(first_token=0.2)))
        assert type(played.error) is AuthenticationError
        assert "not you" in str(played.error)

    def test_control_characters_of_a_server_do_not_reach_a_terminal(self, drive):
        """A message may be printed."""
        error = refused(drive, Response.json({"error": "a\x1b]0;pwned\x07b\x9b31m"}, 400))
        assert str(error).isprintable()


class TestRedirects:
    """A prompt is not sent on."""

    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    @pytest.mark.parametrize("api", ["tgi", "auto"])
    def test_no_redirect_is_followed(self, drive, hello, status, api):
        """The other server sees nothing, neither the prompt nor the probe."""
        away = Response(status=status, headers={"Location": hello.url + "/elsewhere"})
        with EmulatedEndpoint(respond=away) as server:
            played = drive(Endpoint(server.url, api=api))
        assert isinstance(played.error, RequestError)
        assert played.error.status == status
        assert "redirects to 127.0.0.1" in str(played.error)
        assert not hello.requests

    @pytest.mark.parametrize("location", ["", "http://[::1", "//", "/there"])
    def test_a_senseless_redirect_is_an_error_like_another(self, drive, location):
        """The header is the server's, and may be anything."""
        assert "elsewhere" in str(refused(drive, Response(status=302, headers={"Location": location})))


class TestTwoHundred:
    """Bodies of a 200 that are no stream."""

    @pytest.mark.parametrize("api", ["tgi", "auto"])
    def test_a_web_page_is_not_an_answer(self, drive, api):
        """A captive portal, or a wrong path."""
        error = refused(drive, Response(body="<html>Log in</html>", content_type="text/html"), api)
        assert isinstance(error, FormatError)
        assert "an inference endpoint" in str(error)

    @pytest.mark.parametrize("content_type", [None, "text/event-stream", "text/plain", "application/octet-stream"])
    @pytest.mark.parametrize("api", ["tgi", "chat", "completions", "ollama"])
    def test_nothing_at_all_is_not_a_complete_answer(self, drive, content_type, api):
        """Other clients take it for one."""
        assert isinstance(refused(drive, Response(content_type=content_type), api), TruncatedStreamError)

    def test_nothing_at_all_as_json_is_not_a_complete_answer(self, drive):
        """It is not JSON either."""
        assert isinstance(refused(drive, Response(content_type="application/json")), FormatError)

    @pytest.mark.parametrize(
        "body",
        [
            {"error": "CUDA out of memory", "error_type": "generation"},
            {"error": {"message": "CUDA out of memory", "code": 500}},
            {"object": "error", "message": "CUDA out of memory"},
            {"detail": "CUDA out of memory"},
        ],
    )
    @pytest.mark.parametrize("api", ["tgi", "chat"])
    def test_an_error_in_json_is_an_error(self, drive, body, api):
        """Gateways forget the status."""
        error = refused(drive, Response.json(body), api)
        assert isinstance(error, GenerationError)
        assert "CUDA out of memory" in str(error)

    @pytest.mark.parametrize(
        ("api", "body"),
        [
            ("tgi", [{"generated_text": "Hello", "details": {"finish_reason": "length", "generated_tokens": 1}}]),
            ("tgi", {"generated_text": "Hello", "details": {"finish_reason": "length", "generated_tokens": 1}}),
            ("chat", {"choices": [{"index": 0, "message": {"content": "Hello"}, "finish_reason": "length"}]}),
            ("completions", {"choices": [{"index": 0, "text": "Hello", "finish_reason": "length"}]}),
            ("ollama", {"response": "Hello", "done": True, "done_reason": "length"}),
        ],
    )
    def test_a_whole_answer_is_an_answer(self, drive, api, body):
        """A server that does not stream is read all the same."""
        with EmulatedEndpoint(respond=Response.json(body)) as server:
            played = drive(Endpoint(server.url, api=api, model="some/model"))
        assert played.error is None
        assert played.text == "Hello"
        assert (played.result.outcome, played.result.finish_reason) == ("completed", "length")

    def test_half_a_whole_answer_is_truncated(self, drive):
        """It is not blamed on its JSON."""
        half = Response(
            body='{"generated_te', content_type="application/json", headers={"Content-Length": "40"}, cut=True
        )
        assert isinstance(refused(drive, half), TruncatedStreamError)

    def test_a_whole_answer_has_a_bound(self, drive):
        """No server fills the memory."""
        error = refused(drive, Response(body=b"[" * (17 * 2**20), content_type="application/json"))
        assert isinstance(error, LimitExceededError)
