"""The routes of useChat and useCompletion, with the bodies that these send."""

from __future__ import annotations

import json

import pytest

ANSWER = "Take tram 28."
CHAT = {
    "id": "chat/1",
    "trigger": "submit-message",
    "messages": [
        {"id": "1", "role": "user", "parts": [{"type": "text", "text": "Hello"}]},
        {"id": "2", "role": "assistant", "parts": [{"type": "step-start"}, {"type": "text", "text": "Hi"}]},
        {"id": "3", "role": "assistant", "parts": [{"type": "tool-x", "state": "output-available"}]},
        {"id": "4", "role": "user", "parts": [{"type": "text", "text": "Lis"}, {"type": "text", "text": "bon?"}]},
    ],
}


def parts_of(reply):
    """Return the parts of a UI message stream."""
    assert reply.text.endswith("data: [DONE]\n\n")
    return [json.loads(line[6:]) for line in reply.text.split("\n\n")[:-2] if line.startswith("data: ")]


@pytest.mark.parametrize(("path", "body"), [("/api/chat", CHAT), ("/api/completion", {"prompt": "Lisbon?"})])
def test_ui_message_stream(gateway, path, body):
    """Both hooks get a UI message stream from start to finish."""
    reply = gateway.post(path, body)
    parts = parts_of(reply)
    assert reply.status == 200
    assert reply.headers["x-vercel-ai-ui-message-stream"] == "v1"
    assert reply.headers["x-accel-buffering"] == "no"
    assert [parts[0]["type"], parts[-1]["type"]] == ["start", "finish"]
    assert "".join(part["delta"] for part in parts if part["type"] == "text-delta") == ANSWER


@pytest.mark.parametrize(("path", "body"), [("/api/text/chat", CHAT), ("/api/text/completion", {"prompt": "Lisbon?"})])
def test_text_stream(gateway, path, body):
    """Their text-stream twins get the bare text."""
    reply = gateway.post(path, body)
    assert (reply.status, reply.text) == (200, ANSWER)
    assert reply.headers["content-type"] == "text/plain; charset=utf-8"
    assert reply.headers["x-content-type-options"] == "nosniff"


def test_messages_become_a_conversation(gateway, model):
    """Text parts are joined, and messages without text are left out."""
    gateway.post("/api/chat", CHAT)
    assert model.requests[-1].body["messages"] == [
        {"role": "user", "content": "Hello"},
        {"role": "assistant", "content": "Hi"},
        {"role": "user", "content": "Lisbon?"},
    ]


def test_parameters_and_pipeline_of_a_page(gateway, model):
    """What a page adds to the body names the pipeline and the parameters, and stops are cut."""
    body = {"prompt": "Lisbon?", "model": "travel", "parameters": {"max_new_tokens": 9, "stop": [" 28"]}}
    assert gateway.post("/api/text/completion", body).text == "Take tram"
    assert model.requests[-1].body["parameters"]["max_new_tokens"] == 9


@pytest.mark.parametrize(
    "body",
    [
        {"messages": []},
        {"messages": [{"role": "user", "parts": []}]},
        {"messages": [{"role": "hacker", "parts": [{"type": "text", "text": "x"}]}]},
        {"messages": ["text"]},
        {},
    ],
)
def test_what_is_no_conversation_is_refused(gateway, body):
    """A refusal's body is the sentence that the page shows."""
    reply = gateway.post("/api/chat", body)
    assert reply.status == 422
    assert reply.headers["content-type"].startswith("text/plain")
    assert reply.text.endswith(".")
