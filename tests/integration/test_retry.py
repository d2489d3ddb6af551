"""Trying again over real connections."""

import socket

import pytest

from streamkit import AuthenticationError, Endpoint, Fallback, OverloadedError, Pipeline, RateLimitError, Retry
from streamkit.errors import ConnectError, TruncatedStreamError
from streamkit.testing import EmulatedEndpoint
from streamkit.testing.faults import FAULTS, cut_after, error_event_str, html200, s401, s429, s429date, s503, times

HELLO = ["Hello", " world"]


@pytest.fixture
def waits(monkeypatch):
    """Let no test wait; the waits that there would have been."""
    waits = []

    async def apause(_hangup, seconds):
        waits.append(seconds)

    monkeypatch.setattr("streamkit.sources._again.pause", lambda _hangup, seconds: waits.append(seconds))
    monkeypatch.setattr("streamkit.sources._again.apause", apause)
    return waits


def endpoint(server, **options):
    """Return an endpoint that asks nothing beforehand."""
    return Endpoint(server.url, api="tgi", token=False, **options)


@pytest.mark.parametrize("status", [408, 429, 502, 503, 504])
def test_a_status_that_may_pass_is_tried_again(drive, waits, status):
    """The third try is answered, and hooks saw the two that were not."""
    seen = []
    hooks = {"on_retry": lambda attempt: seen.append((attempt.number, str(status) in attempt.error))}
    with EmulatedEndpoint(HELLO, faults=[times(FAULTS[f"s{status}"](), 2)]) as server:
        played = drive(Pipeline(Retry(endpoint(server)), callbacks=[hooks]))
        assert len(server.requests) == 3
    assert (played.text, played.error) == ("Hello world", None)
    assert seen == [(1, True), (2, True)]
    assert len(waits) == 2


@pytest.mark.parametrize("name", ["s401", "s403", "s404", "s422", "s500", "redir_port", "html200", "empty200"])
def test_what_will_not_pass_is_not_tried_again(drive, waits, name):
    """One request, and its error."""
    with EmulatedEndpoint(HELLO, faults=[FAULTS[name]()]) as server:
        played = drive(Retry(endpoint(server)))
        assert len(server.requests) == 1
    assert played.error is not None
    assert waits == []


def test_retry_after_is_obeyed_in_seconds_and_as_a_date(drive, waits):
    """A date has whole seconds and is not before what was meant."""
    with EmulatedEndpoint(HELLO, faults=[times(s429(1.5), 1)]) as server:
        assert drive(Retry(endpoint(server))).text == "Hello world"
    with EmulatedEndpoint(HELLO, faults=[times(s429date(5), 1)]) as server:
        assert drive(Retry(endpoint(server))).text == "Hello world"
    assert waits[0] == 1.5
    assert 4 < waits[1] < 7


def test_when_the_tries_are_used_up_the_last_error_comes(drive, waits):
    """With what the server had asked for."""
    with EmulatedEndpoint(HELLO, faults=[s429(2)]) as server:
        played = drive(Retry(endpoint(server), attempts=2))
        assert len(server.requests) == 2
    assert type(played.error) is RateLimitError
    assert played.error.retry_after == 2


def test_a_model_that_loads_is_waited_for(drive, waits):
    """By Hugging Face's own estimate, for more tries than are allowed otherwise."""
    with EmulatedEndpoint(HELLO, faults=[times(s503(20), 5)]) as server:
        played = drive(Retry(endpoint(server), attempts=1, load_timeout=600))
    assert played.text == "Hello world"
    assert waits == [20] * 5


def test_a_model_that_loads_is_an_error_otherwise(drive, waits):
    """It has the estimate."""
    with EmulatedEndpoint(HELLO, faults=[s503(20)]) as server:
        played = drive(Retry(endpoint(server), attempts=1))
    assert type(played.error) is OverloadedError
    assert (played.error.status, played.error.retry_after) == (503, 20)


def test_an_engine_that_is_overloaded_is_tried_again_before_its_first_token_only(drive, waits):
    """It says so inside a stream, with status 200."""
    overloaded = error_event_str(0, "queue full", "overloaded")
    with EmulatedEndpoint(HELLO, faults=[times(overloaded, 1)]) as server:
        assert drive(Retry(endpoint(server))).text == "Hello world"
    with EmulatedEndpoint(HELLO, faults=[error_event_str(1, "queue full", "overloaded")]) as server:
        played = drive(Retry(endpoint(server)))
        assert len(server.requests) == 1
    assert played.text == played.error.result.text == "Hello"


def test_a_server_that_is_not_there_is_tried_again(drive, waits):
    """Refused connections may pass."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    played = drive(Retry(Endpoint(url, api="tgi", token=False), attempts=3))
    assert type(played.error) is ConnectError
    assert len(waits) == 2


def test_tls_that_fails_is_not_tried_again(drive, waits, serve, tls_context):
    """A certificate does not become good by waiting."""
    server = serve(lambda *_: None, tls_context)
    played = drive(Retry(Endpoint(server.url, api="tgi", token=False)))
    assert type(played.error) is ConnectError
    assert waits == []


def test_a_cut_after_the_first_token_is_not_tried_again(drive, waits):
    """The text so far is in the error."""
    with EmulatedEndpoint(HELLO, faults=[cut_after(1)]) as server:
        played = drive(Retry(endpoint(server)))
        assert len(server.requests) == 1
    assert type(played.error) is TruncatedStreamError
    assert played.text == "Hello"


@pytest.mark.parametrize("fault", [s401(), s503(), html200(), cut_after(0)], ids=["401", "503", "page", "cut"])
def test_the_next_source_answers(drive, fault):
    """For any failure before the first token."""
    with EmulatedEndpoint(HELLO, faults=[fault]) as bad, EmulatedEndpoint(HELLO) as good:
        played = drive(Fallback(endpoint(bad), endpoint(good)))
        assert [len(server.requests) for server in (bad, good)] == [1, 1]
    assert (played.text, played.error) == ("Hello world", None)


def test_a_token_goes_to_its_own_source_only(drive):
    """The next source is not told the secret of the one before it, nor are the hooks."""
    seen = []
    hooks = {"on_retry": lambda attempt: seen.append(attempt.error)}
    with EmulatedEndpoint(HELLO, faults=[s401()]) as bad, EmulatedEndpoint(HELLO) as good:
        first = Endpoint(bad.url, api="tgi", token="hf_canary_of_the_first")
        drive(Pipeline(Fallback(first, endpoint(good)), callbacks=[hooks]))
        assert "Authorization" in bad.requests[0].headers
        assert "Authorization" not in good.requests[0].headers
    assert len(seen) == 1
    assert "canary" not in seen[0]


def test_when_all_fail_the_last_error_tells_of_the_others(drive):
    """In notes."""
    with EmulatedEndpoint(HELLO, faults=[s401()]) as one, EmulatedEndpoint(HELLO, faults=[s401()]) as two:
        url = one.url
        played = drive(Fallback(endpoint(one), endpoint(two)))
    assert type(played.error) is AuthenticationError
    assert url in played.error.__notes__[0]
