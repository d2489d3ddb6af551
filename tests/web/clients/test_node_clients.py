"""The clients of JavaScript programs, as published: what they get, what fails, and what happens when they leave."""

from __future__ import annotations

import pytest

from streamkit.testing import EmulatedEndpoint
from streamkit.testing.faults import cut_after

ANSWER = "Take tram 28."
FINISHES = {
    "hubText": "stop",
    "hubTgiText": "eos_token",
    "hubChat": "stop",
    "openaiChat": "stop",
    "openaiHelper": "stop",
    "openaiCompletions": "stop",
    "aiChat": None,
    "aiTextChat": None,
    "aiCompletion": None,
    "aiTextCompletion": None,
    "ai6Chat": None,
    "ai6TextChat": None,
    "ai6Completion": None,
    "ai5Chat": None,
    "ai5TextChat": None,
    "ai5Completion": None,
}
TEXT = {"aiTextChat", "aiTextCompletion", "ai6TextChat", "ai5TextChat"}
"""Their protocol has no word for a failure: the connection breaks."""


@pytest.mark.parametrize("client", FINISHES)
def test_answer(open_site, model, ask, client):
    """Each client gets the clean text, and the reason of the end where its protocol has one."""
    with open_site(model) as site:
        got = ask(client, site.url)
    assert "error" not in got, got
    assert got["text"] == ANSWER
    assert got.get("finish") == FINISHES[client]
    assert got.get("whole", ANSWER) == ANSWER
    if client == "openaiChat":
        assert got["usage"]["completion_tokens"] == 4
    if client in {"aiChat", "ai6Chat", "ai5Chat"}:
        assert got["metadata"]["finishReason"] == "stop"
        assert got["id"]


@pytest.mark.parametrize("client", FINISHES)
def test_stop_sequence(open_site, model, ask, client):
    """A stop sequence that begins inside a token is cut from the answer of each client."""
    with open_site(model) as site:
        got = ask(client, site.url, parameters={"stop": ["m 2"]})
    assert got["text"] == "Take tra"


@pytest.mark.parametrize("client", FINISHES)
def test_abort_reaches_the_model(open_site, gated, begin, client):
    """A client that aborts in the middle of an answer ends it at the model within a second."""
    with open_site(gated) as site:
        asking = begin(client, site.url, abortAfter=5)
        seen = gated.wait_for_request(20)
        gated.release(2)
        got = asking.result()
        assert got["text"].startswith("word ")
        assert seen.client_left.wait(1)
        assert seen.tokens_sent == 2


@pytest.mark.parametrize("client", ["hubChat", "openaiChat", "aiChat", "aiTextCompletion"])
def test_abort_before_the_first_token(open_site, gated, begin, client):
    """A client that aborts while the model thinks ends that, too."""
    with open_site(gated) as site:
        asking = begin(client, site.url, abortAfter=0)
        seen = gated.wait_for_request(20)
        asking.abort()
        assert asking.result()["text"] == ""
        assert seen.client_left.wait(1)


@pytest.mark.parametrize("client", FINISHES)
def test_answer_that_breaks(open_site, ask, client):
    """A model that breaks in the middle is an error to each client, with the text so far and nothing of the inside."""
    with EmulatedEndpoint(["word "] * 9, faults=[cut_after(2, "rst")]) as model, open_site(model) as site:
        got = ask(client, site.url)
        assert model.url not in str(got)
    assert got["text"] == "word word "
    assert got["error"]
    if client not in TEXT:
        told = f"{got['error']['message']} {got['error'].get('said')}"
        assert "The model's server failed." in told, got


@pytest.mark.parametrize("client", FINISHES)
def test_model_that_is_not_there(open_site, ask, client):
    """A model that cannot be reached is an error at once: no client repeats the request without end."""
    with EmulatedEndpoint() as model, open_site(model) as site:
        model.stop()
        got = ask(client, site.url)
    assert got["text"] == ""
    told = f"{got['error']['message']} {got['error'].get('said')}"
    assert "The model's server cannot be reached." in told, got
    if client.startswith("openai"):
        assert got["error"]["status"] == 502


@pytest.mark.parametrize("client", ["openaiChat", "aiChat", "ai6Chat", "ai5Chat", "aiCompletion"])
def test_unknown_pipeline(open_site, model, ask, client):
    """A name that no pipeline has is told in a sentence."""
    with open_site(model) as site:
        got = ask(client, site.url, model="nobody")
    assert "no model of this name" in got["error"]["message"]
    assert model.requests == []
