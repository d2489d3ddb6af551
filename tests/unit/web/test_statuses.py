"""The statuses of errors before the first byte."""

import pytest

from streamkit.errors import (
    AuthenticationError,
    ConfigurationError,
    ConnectError,
    FormatError,
    GenerationError,
    OverloadedError,
    PluginError,
    RateLimitError,
    RequestError,
    SinkError,
    StoreError,
    StreamTimeoutError,
    TruncatedStreamError,
)
from streamkit.web._statuses import refusal, status_of


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (RequestError("", status=422), 422),
        (RequestError("", status=400), 400),
        (RequestError("", status=413), 413),
        (RequestError("", status=404), 502),
        (GenerationError("", kind="validation"), 422),
        (GenerationError("", kind="overloaded"), 429),
        (GenerationError("", kind="generation"), 502),
        (RateLimitError("", status=429), 429),
        (AuthenticationError("", status=401), 502),
        (OverloadedError("", status=503), 502),
        (ConnectError(""), 502),
        (TruncatedStreamError(""), 502),
        (FormatError(""), 502),
        (StoreError(""), 502),
        (StreamTimeoutError(""), 504),
        (ConfigurationError(""), 500),
        (PluginError(""), 500),
        (SinkError(""), 500),
        (ValueError(""), 500),
    ],
)
def test_a_status_tells_whose_fault_it_is(error, status):
    """The client's, the model's side, or ours; and never 503, which one client repeats without end."""
    assert status_of(error) == status


@pytest.mark.parametrize(("seconds", "sent"), [(7.0, "7"), (0.2, "1"), (0.0, "0"), (-3.0, "0")])
def test_seconds_to_wait_are_passed_on(seconds, sent):
    """A whole number, and never less than was asked for."""
    made = refusal(RateLimitError("", retry_after=seconds), "text/plain", b"x")
    assert made.headers["retry-after"] == sent


def test_a_refusal_is_whole_and_not_kept():
    """Its length is known, and no cache stores it."""
    made = refusal(ValueError(), "text/plain", b"xy")
    assert made.headers == {"content-type": "text/plain", "content-length": "2", "cache-control": "no-store"}
    assert (made.status, made.body) == (500, b"xy")
