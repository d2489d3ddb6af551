"""What is too large, too deep, too slow or too much."""

from __future__ import annotations

import resource
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from streamkit.web.gateway import Limits

PROMPT = {"inputs": "Lisbon?"}
MIB = 2**20


def test_large_body_is_refused_unread(gateway, model):
    """A body that says that it is too large is refused before it comes."""
    with gateway.connect() as connection:
        connection.ask("POST", "/generate", b"", {"content-length": str(100 * MIB)})
        reply = connection.reply()
    assert (reply.status, reply.headers["connection"]) == (413, "close")
    assert not model.requests


def test_large_body_without_length_is_refused(gateway, model):
    """A chunked body of 100 MiB is refused at the limit, and costs no memory."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with gateway.connect() as connection:
        connection.ask("POST", "/generate", None, {"transfer-encoding": "chunked"})
        chunk = b"10000\r\n" + b" " * 65536 + b"\r\n"
        with pytest.raises(OSError):  # noqa: PT012 - some chunk of many finds the connection closed
            for _ in range(1600):
                connection.send(chunk)
            connection.reply()
            connection.send(chunk)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 8 * 1024
    assert not model.requests


def test_body_up_to_the_limit_is_read(gateway):
    """A body just below the limit is taken."""
    assert gateway.post("/generate", {"inputs": "x", "pad": "y" * (MIB - 100)}).status == 200


@pytest.mark.parametrize("length", ["-1", "abc", "1e3", "0x10"])
def test_lying_length_is_refused(gateway, model, length):
    """A length that is none is refused."""
    with gateway.connect() as connection:
        connection.ask("POST", "/generate", b"{}", {"content-length": length})
        assert connection.reply().status == 400
    assert not model.requests


def test_short_body_waits_and_is_dropped(serve, model):
    """A body that is shorter than its length is waited for, and then refused."""
    with serve(model.url, limits=Limits(body_seconds=0.2)) as served, served.connect() as connection:
        connection.ask("POST", "/generate", b"{}", {"content-length": "10"})
        assert connection.reply().status == 408
        served.wait_until_idle()
    assert not model.requests


def test_dripping_body_is_refused(serve, model):
    """A body that comes byte by byte has no more time than another."""
    with serve(model.url, limits=Limits(body_seconds=0.3)) as served, served.connect() as connection:
        connection.ask("POST", "/generate", b"", {"content-length": "100"})
        started = time.monotonic()
        connection.socket.settimeout(0.02)
        while time.monotonic() - started < 5:
            connection.send(b" ")
            try:
                if connection.socket.recv(1, 2):  # MSG_PEEK
                    break
            except TimeoutError:
                continue
        connection.socket.settimeout(5)
        assert connection.reply().status == 408
        assert time.monotonic() - started < 2


def test_dripping_head_is_cut(serve, model):
    """A head that does not come is waited for no longer than a body."""
    with serve(model.url, limits=Limits(body_seconds=0.2)) as served, served.connect() as connection:
        connection.send(b"POST /generate HTTP/1.1\r\nHost: loc")
        assert connection.socket.recv(1) == b""


def test_connection_without_a_word_is_cut(serve, model):
    """A connection that asks nothing is closed."""
    with serve(model.url, limits=Limits(body_seconds=0.2)) as served, served.connect() as connection:
        assert connection.socket.recv(1) == b""


def test_connection_that_only_seems_to_ask_again_is_cut(serve, model):
    """Empty lines on a connection that has been used do not keep it open."""
    with serve(model.url, limits=Limits(body_seconds=0.2)) as served, served.connect() as connection:
        connection.ask("GET", "/health")
        assert connection.reply().status == 200
        connection.send(b"\r\n")
        assert connection.socket.recv(1) == b""


def test_large_head_is_refused(gateway, model):
    """A head larger than 32 KiB is refused."""
    with gateway.connect() as connection:
        connection.ask("POST", "/generate", PROMPT, {"x-large": "y" * 40_000})
        assert connection.reply().status == 431
    assert not model.requests


def test_endless_head_is_refused_while_it_comes(gateway):
    """A head without an end is refused at its limit, and costs no memory."""
    with gateway.connect() as connection:
        connection.send(b"GET /health HTTP/1.1\r\nHost: localhost\r\n")
        with pytest.raises(OSError):  # noqa: PT012 - some line of many finds the connection closed
            for _ in range(100_000):
                connection.send(b"x-more: " + b"y" * 1000 + b"\r\n")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"a":' + b"[" * 100_000,
        b'{"inputs":"x","a":' + b"[" * 65 + b"]" * 65 + b"}",
        b'{"inputs":"x","a":' + b'{"a":' * 64 + b"1" + b"}" * 65,
        b'{"inputs":"x","parameters":{"temperature":NaN}}',
        b'{"inputs":"x","parameters":{"temperature":Infinity}}',
        b'{"inputs":"\xff"}',
        b'{"inputs":"\\ud800"}',
        b"\xef\xbb\xbf{}",
        b"inputs=x",
    ],
)
def test_what_is_no_sound_json_is_refused(gateway, model, body):
    """Half a document, a deep one, NaN, broken text: 400, at once."""
    started = time.monotonic()
    assert gateway.post("/generate", body).status == 400
    assert time.monotonic() - started < 1
    assert not model.requests


def test_brackets_in_text_are_not_depth(gateway):
    """Depth counts brackets of the document, and none in its strings; an evil string costs no time."""
    deep = '[[[{{{"\\' * 100
    body = {"inputs": deep, "a": [[[[1]]]] * 50}
    assert gateway.post("/generate", body).status == 200
    started = time.monotonic()
    assert gateway.post("/generate", b'{"inputs":"' + b'\\"' * (MIB // 2 - 100)).status == 400
    assert time.monotonic() - started < 1


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"inputs": ""},
        {"inputs": 1},
        {"inputs": "x", "parameters": {"max_new_tokens": -1}},
        {"inputs": "x", "parameters": {"max_new_tokens": "9"}},
        {"inputs": "x", "parameters": {"temperature": "hot"}},
        {"inputs": "x", "parameters": {"best_of": 2}},
        {"inputs": "x", "parameters": {"stop": ["x"] * 65}},
        {"inputs": "x", "parameters": {"stop": ["x" * 10_001]}},
        {"inputs": "x", "parameters": {"stop": "x"}},
    ],
)
def test_impossible_parameters_are_refused_as_tgi_does(gateway, model, body):
    """A wrong field is 422 in TGI's shape, and names the field."""
    reply = gateway.post("/generate_stream", body)
    assert reply.status == 422
    assert reply.json["error_type"] == "validation"
    assert not model.requests


def test_unknown_fields_are_passed_over(gateway):
    """What nobody knows is ignored, by TGI's routes and by the others."""
    assert gateway.post("/generate", {**PROMPT, "new": 1, "parameters": {"new": [1]}}).status == 200
    messages = [{"role": "user", "content": "x"}]
    assert gateway.post("/v1/chat/completions", {"messages": messages, "store": True, "metadata": {}}).status == 200


def test_too_many_messages_are_refused(serve, model):
    """A conversation has so many messages and no more."""
    with serve(model.url, limits=Limits(messages=2)) as served:
        reply = served.post("/v1/chat/completions", {"messages": [{"role": "user", "content": "x"}] * 3})
    assert reply.status == 422
    assert not model.requests


def test_parameter_that_the_model_does_not_know_is_refused(serve, model, pipeline_to):
    """A parameter that has no word in the pipeline's dialect is the client's mistake: 400, not 500."""
    with serve({"chat": pipeline_to(model.url, api="chat")}) as served:
        reply = served.post("/generate", {"inputs": "x", "parameters": {"typical_p": 0.5}})
    assert reply.status == 400
    assert "parameters" in reply.json["error"]
    assert model.url not in reply.text


def test_total_of_answers_is_bounded(serve, gated):
    """One answer more than there may be gets 429 and when to come back, until a place is free."""
    with serve(gated.url, limits=Limits(streams=2)) as served:
        with served.connect() as first, served.connect() as second:
            for connection in (first, second):
                connection.ask("POST", "/generate_stream", PROMPT)
                gated.wait_for_request()
            refused = served.post("/v1/completions", {"prompt": "x", "stream": True})
            assert refused.status == 429
            assert int(refused.headers["retry-after"]) >= 1
            assert refused.json["error"]["code"] == "overloaded"
            assert served.metric("streamkit_streams_active") == 2
        served.wait_until_idle()
        with served.connect() as third:
            third.ask("POST", "/generate_stream", PROMPT)
            gated.wait_for_request()


def test_answers_of_one_key_are_bounded(serve, gated, monkeypatch):
    """One owner's answers leave room for those of another."""
    for name in ("ONE", "TWO"):
        monkeypatch.setenv(f"{name}_KEY", name)
    keys = {"one": {"env": "ONE_KEY"}, "two": {"env": "TWO_KEY"}}
    with (
        serve(gated.url, keys=keys, limits=Limits(streams_per_key=1)) as served,
        served.connect() as first,
        served.connect() as second,
    ):
        first.ask("POST", "/generate_stream", PROMPT, {"authorization": "Bearer ONE"})
        gated.wait_for_request()
        assert served.post("/generate_stream", PROMPT, authorization="Bearer ONE").status == 429
        second.ask("POST", "/generate_stream", PROMPT, {"authorization": "Bearer TWO"})
        gated.wait_for_request()


def test_slot_is_free_after_every_refusal(serve, model):
    """Requests that are refused hold no place."""
    with serve(model.url, limits=Limits(streams=1)) as served:
        for body in (b"{", {"inputs": ""}, {"inputs": "x", "parameters": {"max_new_tokens": 0}}):
            assert served.post("/generate", body).status in {400, 422}
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(served.post, "/generate", PROMPT).result().status == 200
