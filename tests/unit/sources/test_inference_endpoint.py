"""Waiting for an endpoint, without a server and without waiting."""

from types import SimpleNamespace

import pytest

from streamkit import ConfigurationError, InferenceEndpoint, OverloadedError, SourceError
from streamkit.sources import inference_endpoint


@pytest.fixture
def clock(monkeypatch):
    """A clock that a test sets."""
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr(inference_endpoint, "time", SimpleNamespace(monotonic=lambda: clock.now))
    return clock


@pytest.fixture
def states(monkeypatch):
    """What the endpoint is at each look."""
    states = []

    def look(_self):
        state = states.pop(0)
        return SimpleNamespace(status=state, url="https://h" if state == "running" else None, resume=lambda: None)

    monkeypatch.setattr(InferenceEndpoint, "_look", look)
    return states


def test_looks_are_five_seconds_apart_and_the_last_wait_is_shorter(clock, states):
    """No longer than the caller would wait."""
    states += ["pending"] * 3
    looks = InferenceEndpoint("mine", wait=12)._looks()
    waits = []
    for _ in range(3):
        waits.append(next(looks))
        clock.now += waits[-1]
    assert waits == [5, 5, 2]


def test_after_the_wait_it_has_failed(clock, states):
    """The message says how long it was."""
    states += ["pending"] * 2
    looks = InferenceEndpoint("mine", wait=5)._looks()
    clock.now += next(looks)
    with pytest.raises(OverloadedError, match="is pending after 5 s"):
        next(looks)


def test_one_that_runs_is_kept(clock, states):
    """With all that was said about it."""
    states += ["running"]
    source = InferenceEndpoint("mine", token="hf_x", model="m", api="chat")
    assert next(source._looks()) == 0
    (endpoint,) = source._known
    assert (endpoint.url, endpoint.token, endpoint.model, endpoint.api) == ("https://h", source.token, "m", "chat")


def test_one_that_is_paused_is_not_waited_for(clock, states):
    """It will not start by itself."""
    states += ["paused"]
    with pytest.raises(SourceError, match="is paused: resume it"):
        next(InferenceEndpoint("mine", wait=60)._looks())


@pytest.mark.parametrize("wait", [-1, float("inf"), float("nan"), None, "60"])
def test_a_wait_is_a_number_of_seconds(wait):
    """The message says so."""
    with pytest.raises(ConfigurationError, match="number of seconds"):
        InferenceEndpoint("mine", wait=wait)


def test_its_token_does_not_show():
    """As an endpoint's does not."""
    assert "hf_x" not in repr(InferenceEndpoint("mine", token="hf_x"))
