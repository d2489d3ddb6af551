"""Models that fail: a status before the first byte, the protocol's own error after it, and no word too much."""

from __future__ import annotations

import json

import pytest

from streamkit.sources import Timeouts
from streamkit.testing import EmulatedEndpoint, Response
from streamkit.testing.faults import cut_after, error_event

SECRET = "hf_canary_upstream"
ROUTES = {
    "/": {"inputs": "x", "stream": True},
    "/generate": {"inputs": "x"},
    "/generate_stream": {"inputs": "x"},
    "/v1/chat/completions": {"messages": [{"role": "user", "content": "x"}], "stream": True},
    "/v1/completions": {"prompt": "x"},
    "/api/chat": {"messages": [{"role": "user", "parts": [{"type": "text", "text": "x"}]}]},
    "/api/text/completion": {"prompt": "x"},
}


def message_of(path, reply):
    """Return the sentence of a refusal in the shape of its protocol."""
    if path.startswith("/v1/"):
        assert set(reply.json["error"]) >= {"message", "type", "code"}
        return reply.json["error"]["message"]
    if path.startswith("/api/"):
        assert reply.headers["content-type"].startswith("text/plain")
        return reply.text
    assert set(reply.json) == {"error", "error_type"}
    return reply.json["error"]


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize(
    ("upstream", "status"),
    [(503, 502), (500, 502), (429, 429), (401, 502), (403, 502), (404, 502), (422, 422), (400, 400)],
)
def test_refusal_of_the_model(serve, path, upstream, status):
    """A model's refusal is a status in the client's own shape, never 503, and nothing of what it said is passed on."""
    refusal = Response.json({"error": f"secret {SECRET}"}, upstream, {"retry-after": "7"})
    with EmulatedEndpoint(respond=refusal) as endpoint, serve(endpoint.url) as served:
        reply = served.post(path, ROUTES[path])
        assert reply.status == status
        assert message_of(path, reply).endswith(".")
        assert SECRET not in reply.text
        assert endpoint.url not in reply.text
        if upstream in {429, 503}:
            assert reply.headers["retry-after"] == "7"
        assert len(endpoint.requests) == 1


@pytest.mark.parametrize("path", ROUTES)
def test_model_that_is_not_there(serve, path):
    """A model that cannot be reached is 502."""
    with serve("http://127.0.0.1:1") as served:
        reply = served.post(path, ROUTES[path])
    assert reply.status == 502
    assert message_of(path, reply) == "The model's server cannot be reached."


@pytest.mark.parametrize("path", ROUTES)
def test_model_that_says_nothing(serve, gated, pipeline_to, path):
    """A model that is silent for too long is 504."""
    with serve({"slow": pipeline_to(gated.url, timeouts=Timeouts(first_token=0.2))}) as served:
        assert served.post(path, ROUTES[path]).status == 504


@pytest.mark.parametrize("path", ["/generate_stream", "/v1/chat/completions", "/api/chat"])
@pytest.mark.parametrize("fault", [cut_after(2), error_event(2)], ids=["cut", "error"])
def test_error_in_the_middle(serve, path, fault):
    """An answer that breaks ends with its protocol's error, and never like a complete one."""
    with EmulatedEndpoint(["word "] * 9, faults=[fault]) as endpoint, serve(endpoint.url) as served:
        reply = served.post(path, ROUTES[path])
        served.wait_until_idle()
        assert served.metric('streamkit_answers_total{pipeline="travel"') == 1
    events = [line[6:] for line in reply.text.split("\n\n") if line.startswith("data: {")]
    last = json.loads(events[-1])
    assert (reply.status, reply.complete) == (200, True)
    assert "word " in reply.text
    assert "The model's server failed." in (last.get("errorText"), last.get("error"), _message(last))
    assert 'finish_reason":"' not in reply.text
    assert 'generated_text":"' not in reply.text


def test_text_stream_in_the_middle(serve):
    """A text stream has no word for an error: its connection is broken."""
    with EmulatedEndpoint(["word "] * 9, faults=[cut_after(2)]) as endpoint, serve(endpoint.url) as served:
        reply = served.post("/api/text/completion", {"prompt": "x"})
    assert reply.body.startswith(b"word ")
    assert not reply.complete


@pytest.mark.parametrize("path", ["/generate", "/v1/completions"])
def test_whole_answer_that_breaks(serve, path):
    """Half an answer in one piece is no answer: 502."""
    with EmulatedEndpoint(["word "] * 9, faults=[cut_after(2)]) as endpoint, serve(endpoint.url) as served:
        reply = served.post(path, ROUTES[path])
    assert reply.status == 502
    assert "word" not in reply.text


def test_mistake_of_a_plugin(serve, model, pipeline_to):
    """A transform that raises is 500, and the client learns nothing of it."""

    class Broken:
        def start(self):
            raise ValueError(SECRET)

    with serve({"broken": pipeline_to(model.url).evolve(transforms=[Broken()])}) as served:
        reply = served.post("/generate_stream", {"inputs": "x"})
    assert (reply.status, reply.json["error"]) == (500, "An error occurred.")
    assert not model.requests


def _message(last):
    error = last.get("error")
    return error.get("message") if isinstance(error, dict) else None
