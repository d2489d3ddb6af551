"""Ollama's lines."""

import pytest

from streamkit.testing import EmulatedEndpoint, ScriptedToken

SCRIPT = ["Hello", " <b>&", " world", ScriptedToken("</s>", special=True)]
MODEL = {"model": "emulated/tiny"}


@pytest.fixture(scope="module")
def server():
    """Return an endpoint that presents itself as Ollama."""
    with EmulatedEndpoint(SCRIPT, engine="ollama") as server:
        yield server


def test_generating_streams_lines_unless_told_otherwise(post, server):
    """The last line has no text, but the reason and the counts."""
    answer = post(server, "/api/generate", {**MODEL, "prompt": "Hi"})
    *lines, last = answer.lines
    assert answer.headers["Content-Type"] == "application/x-ndjson"
    assert [(line["response"], line["done"]) for line in lines] == [
        ("Hello", False),
        (" <b>&", False),
        (" world", False),
    ]
    assert (last["response"], last["done"], last["done_reason"], last["eval_count"]) == ("", True, "stop", 4)


def test_chatting_puts_the_text_into_a_message(post, server):
    """Otherwise it is the same."""
    lines = post(server, "/api/chat", {**MODEL, "messages": [{"role": "user", "content": "Hi"}]}).lines
    assert lines[0]["message"] == {"role": "assistant", "content": "Hello"}
    assert lines[-1]["message"] == {"role": "assistant", "content": ""}


def test_one_document_when_told_so(post, server):
    """With the whole text."""
    answer = post(server, "/api/generate", {**MODEL, "prompt": "Hi", "stream": False})
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
    assert (answer.json["response"], answer.json["done"]) == ("Hello <b>& world", True)


def test_text_is_escaped_for_html_as_go_does(post, server):
    """A reader must undo it."""
    assert r'" \u003cb\u003e\u0026"' in post(server, "/api/generate", {**MODEL, "prompt": "Hi"}).text


@pytest.mark.parametrize(
    ("options", "text", "reason"),
    [
        ({"num_predict": 1}, "Hello", "length"),
        ({"stop": ["wor"]}, "Hello <b>& ", "stop"),
        ({"num_predict": -1}, "Hello <b>& world", "stop"),
    ],
)
def test_options_end_an_answer(post, server, options, text, reason):
    """The stop string is withheld, and less than zero is no limit."""
    *lines, last = post(server, "/api/generate", {**MODEL, "prompt": "Hi", "options": options}).lines
    assert ("".join(line["response"] for line in lines), last["done_reason"]) == (text, reason)


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        ({"prompt": "Hi"}, 400, "model is required"),
        ({"model": "x"}, 404, "model 'x' not found"),
        ({**MODEL, "stream": 3}, 400, "Expected `bool`, got `int` - at `$.stream`"),
    ],
)
def test_a_mistake_has_a_status_and_one_line(post, server, body, status, error):
    """Ollama's errors are plain strings."""
    answer = post(server, "/api/generate", body)
    assert (answer.status, answer.json) == (status, {"error": error})


def test_what_it_says_of_itself(get, server):
    """The one model, and that it is emulated."""
    assert get(server, "/api/tags").json["models"][0]["name"] == "emulated/tiny"
    assert "emulator" in get(server, "/api/version").json["version"]
    assert "emulated" in get(server, "/").text
    assert get(server, "/nowhere").status == 404
