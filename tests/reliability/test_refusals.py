"""Rows 16 to 21: refusals, secrets in them, and redirects."""

import traceback

import attrs
import pytest

from streamkit import AuthenticationError, Endpoint, OverloadedError, RateLimitError, RequestError
from streamkit.testing import FAULTS, EmulatedEndpoint, faults

CANARY = "hf_canaryCANARYcanary"


@pytest.mark.parametrize(
    ("name", "kind", "transient"),
    [
        ("s401", AuthenticationError, False),
        ("s403", AuthenticationError, False),
        ("s404", RequestError, False),
        ("s422", RequestError, False),
        ("s408", OverloadedError, True),
        ("s429", RateLimitError, True),
        ("s500", OverloadedError, False),
        ("s502", OverloadedError, True),
        ("s503", OverloadedError, True),
        ("s504", OverloadedError, True),
    ],
)
def test_each_refusal_has_its_error(ask, play, api, *, name, kind, transient):
    """Rows 16 to 19: with its status, and whether the same request may succeed later."""
    _, endpoint = play(FAULTS[name](), api=api)
    error = ask(endpoint).error
    assert type(error) is kind
    assert (error.status, error.transient) == (int(name[1:]), transient)


def test_the_time_to_wait_is_told(ask, play):
    """Rows 16 and 17: as seconds, as a date, and as Hugging Face's estimate."""
    assert ask(play(faults.s429(3))[1]).error.retry_after == 3
    assert 1 < ask(play(faults.s429date(3))[1]).error.retry_after < 5
    assert ask(play(faults.s503(20))[1]).error.retry_after == 20


@pytest.mark.parametrize("name", ["s401", "s403"])
def test_a_token_that_is_echoed_is_nowhere(ask, play, caplog, name):
    """Row 19: not in the message, the traceback with its local variables, the result or the log."""
    caplog.set_level("DEBUG")
    server, _ = play(FAULTS[name]())
    error = ask(Endpoint(server.url, api="tgi", token=CANARY)).error
    assert server.requests[0].headers["Authorization"] == f"Bearer {CANARY}"
    trace = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
    shown = [str(error), repr(error), repr(error.args), trace, repr(error.result), caplog.text]
    shown.append(repr(attrs.asdict(error.result, recurse=False)))
    assert [text for text in shown if CANARY in text] == []


@pytest.mark.parametrize("name", ["redir_host", "redir_port", "redir_302", "redir_loop"])
def test_no_redirect_is_followed(ask, api, name, play):
    """Row 21: neither prompt nor token reaches another origin, and a loop is one request."""
    with EmulatedEndpoint(["stolen"]) as other:
        arguments = [] if name == "redir_loop" else [other.url]
        server, endpoint = play(FAULTS[name](*arguments), api=api)
        error = ask(endpoint).error
        assert other.requests == []
        assert len(server.requests) == 1
    assert type(error) is RequestError
    assert "redirects" in str(error)
