"""What an answer means before its first token."""

import email.utils
import time

import msgspec
import pytest

from streamkit.errors import (
    AuthenticationError,
    FormatError,
    GenerationError,
    LimitExceededError,
    OverloadedError,
    RateLimitError,
    RequestError,
)
from streamkit.events import Finish, Token
from streamkit.sources._answers import WHOLE_LIMIT, Answer, is_stream, place, refusal, whole

URL = "https://host:8080/v1/x?key=hf_x"


def refused(status=400, body=b"", **headers):
    """Return the error of a refusal."""
    return refusal(status, headers, body, URL, ["hf_xyz"])


class TestIsStream:
    """What a 200 holds."""

    @pytest.mark.parametrize(
        "content_type",
        ["text/event-stream", "TEXT/Event-Stream; charset=utf-8", "application/x-ndjson", "text/plain", ""],
    )
    def test_a_stream(self, content_type):
        """By its type, or by none."""
        assert is_stream(content_type, URL)

    @pytest.mark.parametrize("content_type", ["application/json", "application/json; charset=utf-8", "a/problem+json"])
    def test_a_whole_answer(self, content_type):
        """It is JSON."""
        assert not is_stream(content_type, URL)

    @pytest.mark.parametrize("content_type", ["text/html", "image/png"])
    def test_neither(self, content_type):
        """The message has the type, and not the query of the URL."""
        with pytest.raises(FormatError, match=content_type) as caught:
            is_stream(content_type, URL)
        assert "hf_x" not in str(caught.value)


class TestRefusal:
    """HTTP statuses other than 200."""

    @pytest.mark.parametrize(
        ("status", "kind"),
        [
            (204, RequestError),
            (302, RequestError),
            (400, RequestError),
            (401, AuthenticationError),
            (403, AuthenticationError),
            (404, RequestError),
            (408, OverloadedError),
            (422, RequestError),
            (429, RateLimitError),
            (500, OverloadedError),
            (529, OverloadedError),
        ],
    )
    def test_each_status_has_its_error(self, status, kind):
        """And carries it."""
        error = refused(status)
        assert type(error) is kind
        assert error.status == status
        assert str(error).startswith(f"https://host:8080/v1/x answered {status}")

    @pytest.mark.parametrize(
        "body",
        [
            {"error": "Say it otherwise", "error_type": "validation"},
            {"error": {"message": "Say it otherwise", "code": 400}},
            {"object": "error", "message": "Say it otherwise"},
            {"detail": "Say it otherwise"},
        ],
    )
    def test_its_words_are_the_servers(self, body):
        """In the shapes of all engines."""
        assert str(refused(body=msgspec.json.encode(body))) == "https://host:8080/v1/x answered 400: Say it otherwise"

    @pytest.mark.parametrize(
        ("body", "said"),
        [
            (b"Say it\n  otherwise", ": Say it otherwise"),
            (b"", ""),
            (b"<!doctype html>", ": a web page"),
            (b"\xff\xfe", ": \ufffd\ufffd"),
            (b'{"detail":[{"loc":["body"]}]}', ": [{'loc': ['body']}]"),
            (b"[" * 99_999, ": " + "[" * 299 + "…"),
            (b'{"error":"\xff"}', ': {"error":"\ufffd"}'),
        ],
    )
    def test_a_body_of_any_kind_is_put_in_one_line(self, body, said):
        """Of 300 characters at most."""
        assert str(refused(body=body)) == "https://host:8080/v1/x answered 400" + said

    def test_a_terminal_is_not_told_what_to_do(self):
        """Escape sequences, C1 controls and direction marks are blanked."""
        assert str(refused(body="a\x1b[2Jb\x9bc\u202ed".encode())).isprintable()

    def test_a_token_in_it_is_hidden(self):
        """Where the message is cut, too."""
        assert "hf_" not in str(refused(body=b"x" * 295 + b"hf_xyz and so on"))

    @pytest.mark.parametrize(
        ("value", "seconds"),
        [("7", 7.0), ("0", 0.0), ("1.5", 1.5), ("-3", 0.0), ("soon", None), ("inf", None), ("nan", None), ("", None)],
    )
    def test_retry_after_in_seconds(self, value, seconds):
        """What is no time is none."""
        assert refused(429, **{"retry-after": value}).retry_after == seconds

    def test_retry_after_as_a_date(self):
        """A date that has passed is no time to wait."""
        in_a_minute = email.utils.formatdate(time.time() + 60, usegmt=True)
        assert 55 < refused(503, **{"retry-after": in_a_minute}).retry_after <= 61
        assert refused(503, **{"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}).retry_after == 0

    @pytest.mark.parametrize(
        ("body", "seconds"),
        [(b'{"error":"loading","estimated_time":20.5}', 20.5), (b'{"estimated_time":"x"}', None), (b"[]", None)],
    )
    def test_the_estimate_of_hugging_face(self, body, seconds):
        """It is in the body."""
        assert refused(503, body).retry_after == seconds

    @pytest.mark.parametrize(
        ("location", "target"),
        [("https://other.example/?x=1", "other.example"), ("/there", "elsewhere"), ("http://[", "elsewhere")],
    )
    def test_a_redirect_names_the_host(self, location, target):
        """If it has one."""
        assert f"redirects to {target}" in str(refused(307, location=location))


class TestWhole:
    """Answers in one JSON body."""

    def test_an_answer_is_events(self):
        """The last one is the end."""
        assert list(whole(b'{"generated_text":"Hi"}', URL, [])) == [Token("Hi"), Finish(generated_text="Hi")]

    def test_an_error_is_one_without_the_token(self):
        """It is raised bare of what led to it."""
        with pytest.raises(GenerationError) as caught:
            whole(b'{"error":"bad hf_xyz"}', URL, ["hf_xyz"])
        assert str(caught.value) == "bad ***"
        assert caught.value.__cause__ is None

    def test_it_has_a_bound(self):
        """A server that never ends it is no danger."""
        with pytest.raises(LimitExceededError):
            whole(b"x" * WHOLE_LIMIT, URL, [])


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://host/path?key=1#top", "https://host/path"),
        ("http://user:pw@host:81/", "http://host:81/"),
        ("http://[::1]:81/a", "http://[::1]:81/a"),
    ],
)
def test_the_place_of_a_url_has_no_secrets(url, shown):
    """Neither a user nor a query."""
    assert place(url) == shown


def test_the_repr_of_an_answer_says_nothing():
    """A traceback may show it."""
    answer = Answer(status=200, headers={"x": "hf_xyz"}, body=b"hf_xyz")
    assert "hf_xyz" not in repr(answer)
