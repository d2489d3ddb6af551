"""Every kind of part that a UI message stream has here, read by each major version of the AI SDK."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest

from streamkit.errors import SourceError
from streamkit.events import Finish, Token, ToolCallDelta, Usage
from streamkit.pipeline import Pipeline
from streamkit.testing import replay
from streamkit.web.wsgi import UIMessageResponse

CLIENTS = pytest.mark.parametrize("client", ["aiChat", "ai6Chat", "ai5Chat"])
SAID = [Token("Let me see. ", channel="reasoning"), Token("Take "), Token("tram 28.")]
CALLS = [
    ToolCallDelta(index=0, id="c1", name="weather", arguments='{"city":'),
    ToolCallDelta(index=0, arguments=' "Lisbon"}'),
    ToolCallDelta(index=1, id="c2", name="now"),
    ToolCallDelta(index=2, id="c3", name="broken", arguments='{"city'),
]
USAGE = Usage(prompt_tokens=4, completion_tokens=7, total_tokens=11)


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_):
        """Say nothing."""


@contextmanager
def served(respond):
    """Answer each question by `respond()` on a server of its own; gives its URL."""

    def application(environ, start_response):
        return respond()(environ, start_response)

    with make_server("127.0.0.1", 0, application, handler_class=_Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, name="wsgi", kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def _whole(**options):
    """Return a response with every kind of part, the application's own in the middle of a text."""

    def on_text(text):
        if text == "Take ":
            response.writer.data("progress", {"step": 1}, id="p")
            response.writer.data("progress", {"step": 2}, id="p")
            response.writer.data("hint", "soon", transient=True)
            response.writer.metadata({"model": "travel"})

    source = replay([*SAID, *CALLS], finish=Finish(reason="tool_calls", usage=USAGE, raw_reason="tool_calls"))
    pipeline = Pipeline(source, callbacks={"on_text": on_text})
    response = UIMessageResponse(pipeline.stream("Hi"), message_id="m1", metadata={"asked": True}, **options)
    return response


@CLIENTS
@pytest.mark.parametrize("options", [{}, {"send_finish_reason": True}])
def test_every_part_is_read(ask, client, options):
    """Text, reasoning, tool input, data and metadata arrive, without a key that a strict client dies of."""
    with served(lambda: _whole(**options)) as url:
        got = ask(client, url)
    assert "error" not in got, got
    assert got["id"] == "m1"
    parts = {part["type"]: part for part in got["parts"]}
    assert parts["reasoning"]["text"] == "Let me see. "
    assert parts["text"]["text"] == "Take tram 28."
    assert parts["data-progress"]["data"] == {"step": 2}
    assert "data-hint" not in parts
    assert (parts["tool-weather"]["state"], parts["tool-weather"]["input"]) == ("input-available", {"city": "Lisbon"})
    assert (parts["tool-now"]["state"], parts["tool-now"]["input"]) == ("input-available", {})
    assert parts["tool-broken"]["state"] == "output-error"
    usage = {"inputTokens": 4, "outputTokens": 7, "totalTokens": 11}
    assert got["metadata"] == {"asked": True, "model": "travel", "finishReason": "tool-calls", "usage": usage}


@CLIENTS
def test_error_in_the_middle(ask, client):
    """A run that fails is the error that the server told, behind what was said so far."""

    def respond():
        pipeline = Pipeline(replay([*SAID, *CALLS[:1]], error=SourceError("the line is dead")))
        return UIMessageResponse(pipeline.stream("Hi"), mask=lambda _: "Please ask again.")

    with served(respond) as url:
        got = ask(client, url)
    assert got["error"]["message"] == "Please ask again."
    assert got["text"] == "Take tram 28."


@CLIENTS
def test_abort_in_the_middle(ask, client):
    """A run that the server itself stops is no error, and what was open is closed."""

    def respond():
        source = replay([*SAID, Token(" And then?")])
        stream = Pipeline(source, callbacks={"on_text": lambda: stream.close()}).stream("Hi")  # noqa: PLW0108 - made below
        return UIMessageResponse(stream)

    with served(respond) as url:
        got = ask(client, url)
    assert "error" not in got, got
    assert got["text"] == "Take "
    assert {part["state"] for part in got["parts"] if part["type"] in {"text", "reasoning"}} == {"done"}
