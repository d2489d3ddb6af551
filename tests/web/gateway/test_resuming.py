"""Answers that outlive their requests."""

from __future__ import annotations

import re
import time
from contextlib import ExitStack

import pytest

from streamkit.errors import StoreError
from streamkit.stores.memory import MemoryStore
from streamkit.testing import EmulatedEndpoint, Response
from streamkit.web.gateway import Limits
from streamkit.web.gateway.resuming import Place, place_of

CHAT = {"id": "chat 1", "messages": [{"role": "user", "parts": [{"type": "text", "text": "x"}]}]}
TGI = {"inputs": "x"}
STREAM = "/api/chat/chat%201/stream"


@pytest.fixture
def resumable(serve, gated):
    """A gateway with resumable answers in front of a model that says a word when it is told to."""
    with serve(gated.url, resumable=True) as served:
        yield served


def _left_in_the_middle(served, gated, path="/api/chat", body=CHAT, **headers):
    with served.connect() as connection:
        connection.ask("POST", path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        seen = gated.wait_for_request()
        gated.release(5)
        return seen, connection.wait_for(b"word")


def test_a_chat_goes_on_without_its_client(resumable, gated):
    """A client that comes back gets the whole message again, from its start, and what follows."""
    seen, _ = _left_in_the_middle(resumable, gated)
    with resumable.connect() as connection:
        connection.ask("GET", STREAM)
        connection.wait_for(b'"start"')
        gated.release(1000)
        reply = connection.reply()
    assert not seen.client_left.is_set()
    assert reply.status == 200
    assert reply.headers["x-vercel-ai-ui-message-stream"] == "v1"
    assert reply.headers["x-accel-buffering"] == "no"
    assert reply.headers["cache-control"] == "no-cache, no-transform"
    assert reply.text.count('"type":"start"') == 1
    assert reply.text.count('"delta":"word') == 1000
    assert reply.text.endswith("data: [DONE]\n\n")


def test_events_go_on_behind_the_last_one_that_came(resumable, gated):
    """By `Last-Event-ID`: what the client had and what it gets are the whole, to the byte."""
    _, had = _left_in_the_middle(resumable, gated, "/generate_stream", TGI, x_stream_id="a/b")
    gated.release(1000)
    whole = resumable.get("/generate_stream/a/b/stream").body
    ids = re.findall(rb"^id: (\S+)\n", whole, re.MULTILINE)
    assert len(ids) > 1000
    assert [int(name.split(b"-")[1]) for name in ids] == list(range(1, len(ids) + 1))
    for place in (ids[0], re.findall(rb"^id: (\S+)\n", had, re.MULTILINE)[-1], ids[-2]):
        reply = resumable.get("/generate_stream/a/b/stream", last_event_id=place.decode())
        behind = whole.index(b"id: " + place)
        assert whole[whole.index(b"\n\n", behind) + 2 :] == reply.body


def test_readers_at_once(resumable, gated):
    """Any number of them follow one run; the model is asked once."""
    _left_in_the_middle(resumable, gated)
    with ExitStack() as stack:
        connections = [stack.enter_context(resumable.connect()) for _ in range(20)]
        for connection in connections:
            connection.ask("GET", STREAM)
            connection.wait_for(b"word")
        gated.release(1000)
        bodies = {connection.reply().body for connection in connections}
    assert len(bodies) == 1
    assert len(gated.requests) == 1


def test_a_request_that_is_sent_again(resumable, gated):
    """A client whose response was lost asks the same again, and is given what is kept; the model is asked once."""
    _left_in_the_middle(resumable, gated, "/generate_stream", TGI, x_stream_id="once")
    gated.release(1000)
    replies = [resumable.post("/generate_stream", TGI, x_stream_id="once") for _ in range(2)]
    assert replies[0].body == replies[1].body
    assert replies[0].text.count('"word') >= 1000
    assert len(gated.requests) == 1


def test_a_second_question_in_a_chat(resumable, gated):
    """It takes the place of an answer that goes on."""
    first, _ = _left_in_the_middle(resumable, gated)
    second, _ = _left_in_the_middle(resumable, gated)
    assert first.client_left.wait(1)
    assert not second.client_left.is_set()


def test_a_stop(resumable, gated):
    """The model stops at once, and a client that reads is told in the words of its protocol."""
    seen, _ = _left_in_the_middle(resumable, gated)
    with resumable.connect() as connection:
        connection.ask("GET", STREAM)
        connection.wait_for(b"word")
        assert resumable.post("/api/chat/chat%201/stop", {}).json == {"state": "stopping"}
        reply = connection.reply()
    assert seen.client_left.wait(1)
    assert '"type":"abort"' in reply.text
    assert resumable.post("/api/chat/chat%201/stop", {}).json == {"state": "ended"}
    resumable.wait_until_idle()
    assert resumable.metric('streamkit_answers_total{pipeline="travel",route="/api/chat",outcome="aborted"}') == 1


def test_a_stop_that_overtakes_its_request(resumable, gated):
    """Nothing is asked."""
    assert resumable.post("/api/chat/chat%201/stop", {}).json == {"state": "pending"}
    assert '"type":"abort"' in resumable.post("/api/chat", CHAT).text
    assert not gated.requests


def test_what_is_not_kept(resumable, gated):
    """204 is the AI SDK's word for it; everybody else is told that it is gone, in the words of the route."""
    reply = resumable.get("/api/chat/nobody/stream")
    assert (reply.status, reply.body) == (204, b"")
    reply = resumable.get("/generate_stream/nobody/stream")
    assert (reply.status, reply.json["error_type"]) == (410, "validation")
    _left_in_the_middle(resumable, gated, "/generate_stream", TGI, x_stream_id="a")
    for place in ("1-1", "nonsense", "9999999999999-1"):
        assert resumable.get("/generate_stream/a/stream", last_event_id=place).status == 410


def test_a_client_that_has_everything(resumable, gated):
    """204 tells an EventSource not to come back."""
    gated.release(1000)
    whole = resumable.post("/generate_stream", TGI, x_stream_id="a").text
    last = re.findall(r"^id: (\S+)$", whole, re.MULTILINE)[-1]
    assert resumable.get("/generate_stream/a/stream", last_event_id=last).status == 204


def test_a_request_without_an_id_ends_with_its_client(resumable, gated):
    """Who knows nothing of resuming does not pay for answers that nobody reads."""
    seen, _ = _left_in_the_middle(resumable, gated, "/generate_stream", TGI)
    assert seen.client_left.wait(1)


def test_an_answer_in_one_piece_ends_with_its_client(resumable, gated):
    """There is nothing to follow."""
    with resumable.connect() as connection:
        connection.ask("POST", "/generate", TGI, {"x-stream-id": "a"})
        seen = gated.wait_for_request()
    assert seen.client_left.wait(1)


def test_a_gateway_that_does_not_resume(serve, gated):
    """A client that leaves ends its run, and there is nothing at the paths."""
    with serve(gated.url) as served:
        seen, _ = _left_in_the_middle(served, gated)
        assert seen.client_left.wait(1)
        assert served.get(STREAM).status == 404


@pytest.mark.parametrize("path", ["/api/chat", "/api/text/chat", "/generate_stream"])
def test_an_error_before_the_first_token_is_a_status(serve, path):
    """As without resuming."""
    busy = Response.json({"error": "busy"}, 429, {"retry-after": "7"})
    with EmulatedEndpoint(respond=busy) as endpoint, serve(endpoint.url, resumable=True) as served:
        reply = served.post(path, {**CHAT, **TGI}, x_stream_id="a")
        assert (reply.status, reply.headers["retry-after"]) == (429, "7")


def test_an_answer_keeps_its_place(serve, gated):
    """Until it has ended, and not until its client has left."""
    with serve(gated.url, resumable=True, limits=Limits(streams=1)) as served:
        _left_in_the_middle(served, gated)
        assert served.post("/generate_stream", TGI).status == 429
        served.post("/api/chat/chat%201/stop", {})
        served.wait_until_idle()
        _left_in_the_middle(served, gated, "/generate_stream", TGI)


class Down(MemoryStore):
    """A store that does not answer."""

    async def open(self, stream_id, head):
        """Fail."""
        raise StoreError("redis://canary is down")

    async def read(self, stream_id, after=None):
        """Fail."""
        raise StoreError("redis://canary is down")

    async def stop(self, stream_id):
        """Fail."""
        raise StoreError("redis://canary is down")


def test_a_store_that_does_not_answer(serve, gated):
    """Nobody is told in its words, and no model is asked; answers that are not to be kept are given as ever."""
    with serve(gated.url, resumable=Down()) as served:
        for reply in (
            served.post("/generate_stream", TGI, x_stream_id="a"),
            served.get("/generate_stream/a/stream"),
            served.post("/generate_stream/a/stop", {}),
        ):
            assert (reply.status, reply.json["error"]) == (502, "The store of resumable answers failed.")
        assert not gated.requests
        gated.release(1000)
        assert served.post("/generate_stream", TGI).status == 200


def test_a_stop_of_the_server_lets_answers_end(serve, gated):
    """An answer without a client has the grace that the others have."""
    with serve(gated.url, resumable=True, grace=5.0) as served:
        seen, _ = _left_in_the_middle(served, gated)
        served.server.should_exit = True
        time.sleep(0.3)  # nothing tells when uvicorn waits
        assert not seen.client_left.is_set()
        gated.release(1000)
    assert seen.tokens_sent == 1000


def test_a_stop_of_the_server_ends_what_goes_on(serve, gated):
    """After the grace."""
    with serve(gated.url, resumable=True, grace=0.2) as served:
        seen, _ = _left_in_the_middle(served, gated)
    assert seen.client_left.wait(1)


def test_keys_have_streams_of_their_own(serve, gated, monkeypatch):
    """Whoever knows another's id can neither read nor stop the stream."""
    monkeypatch.setenv("ANNE", "secret-a")
    monkeypatch.setenv("BEN", "secret-b")
    with serve(gated.url, resumable=True, keys={"anne": {"env": "ANNE"}, "ben": {"env": "BEN"}}) as served:
        seen, _ = _left_in_the_middle(served, gated, authorization="Bearer secret-a")
        assert served.get(STREAM, authorization="Bearer secret-b").status == 204
        served.post("/api/chat/chat%201/stop", {}, authorization="Bearer secret-b")
        assert served.get(STREAM).status == 401
        assert not seen.client_left.wait(0.1)


@pytest.mark.parametrize(("method", "path"), [("POST", STREAM), ("GET", "/api/chat/a/stop"), ("DELETE", STREAM)])
def test_methods(resumable, method, path):
    """A stream is read by GET and stopped by POST."""
    assert resumable.ask(method, path).status == 405


def test_a_long_id_is_refused(resumable):
    """A client's words become keys of a store."""
    assert resumable.post("/generate_stream", TGI, x_stream_id="x" * 101).status == 422


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("/api/chat/a/stream", Place("/api/chat", "a", "stream")),
        ("/api/chat/a/b/stop", Place("/api/chat", "a/b", "stop")),
        ("/api/text/chat/stream/stream", Place("/api/text/chat", "stream", "stream")),
        ("/api/chat/stream", None),
        ("/api/chat//stream", None),
        ("/api/chat/a", None),
        ("/other/a/stream", None),
    ],
)
def test_paths(path, place):
    """An id may have slashes in it."""
    assert place_of(path) == place


def test_the_store_of_the_settings_keeps_the_answers(serve, gated):
    """And no other does."""
    store = MemoryStore()
    with serve(gated.url, resumable=store) as served:
        _left_in_the_middle(served, gated, "/generate_stream", TGI, x_stream_id="a")
        assert [key.split(" ", 1)[1] for key in store._logs] == ["/generate_stream a"]
