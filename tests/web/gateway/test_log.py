"""The log: one line for each request, with what happened and without what was said."""

from __future__ import annotations

import json
import logging

import pytest

from streamkit.testing import EmulatedEndpoint, Response, ScriptedToken
from streamkit.web.gateway.log import JsonFormatter, logger, request_id

CANARY = "canary-7f3a"


@pytest.fixture
def gateway(serve, model):
    """A gateway of the test's own: what others count and log is not for it."""
    with serve(model.url) as served:
        yield served


@pytest.fixture
def lines():
    """What the gateway logs from here on, as text."""
    records = []
    handler = logging.Handler()
    formatter = JsonFormatter()
    handler.emit = lambda record: records.append(formatter.format(record))
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield records
    logger.removeHandler(handler)
    logger.setLevel(level)


def test_line_says_what_happened(gateway, lines):
    """A complete answer's line has its numbers, and the client's id for it."""
    reply = gateway.post("/generate_stream", {"inputs": "x"}, x_request_id="client-1")
    gateway.wait_until_idle()
    line = json.loads(lines[-1])
    assert reply.headers["x-request-id"] == "client-1"
    assert {name: line[name] for name in ("request_id", "method", "route", "pipeline", "status", "outcome", "key")} == {
        "request_id": "client-1",
        "method": "POST",
        "route": "/generate_stream",
        "pipeline": "travel",
        "status": 200,
        "outcome": "completed",
        "key": "anonymous",
    }
    assert line["tokens"] == 4
    assert 0 < line["first_token_ms"] <= line["duration_ms"]


@pytest.mark.parametrize("given", ["", "a b", "x\t2026 INFO fake", "é", "x" * 65, '"},{"', "../x"])
def test_odd_request_ids_are_replaced(gateway, lines, given):
    """An id that could be taken for something else is not taken over."""
    reply = gateway.post("/generate", {}, x_request_id=given)
    assert reply.headers["x-request-id"] != given
    assert len(reply.headers["x-request-id"]) == 24
    assert json.loads(lines[-1])["request_id"] == reply.headers["x-request-id"]


def test_request_id_has_no_line_end():
    """Not even where a server would let one through."""
    assert "\n" not in request_id("x\n2026 INFO fake")
    assert "\n" not in request_id("x\n")


def test_nothing_that_was_said_is_logged(serve, lines, monkeypatch):
    """Prompt, answer, key, path and query of a client are in no line, whatever becomes of the request."""
    monkeypatch.setenv("CANARY_KEY", f"key-{CANARY}")
    refusal = [None]
    with (
        EmulatedEndpoint([f"{CANARY} "] * 3, respond=lambda _seen: refusal[0]) as endpoint,
        serve(endpoint.url, keys={"shop": {"env": "CANARY_KEY"}}) as served,
    ):
        headers = {"authorization": f"Bearer key-{CANARY}"}
        prompt = f"{CANARY}\n2026-01-01 INFO fake"
        served.post("/generate", {"inputs": prompt}, **headers)
        served.post(f"/generate?token={CANARY}", {"inputs": prompt}, **headers)
        served.post(f"/{CANARY}", {"inputs": prompt}, **headers)
        served.post("/generate", {"inputs": prompt}, authorization=f"Bearer {CANARY}")
        served.post("/v1/completions", {"prompt": prompt, "model": CANARY}, **headers)
        served.post("/generate", {"inputs": "x", "parameters": {"stop": CANARY}}, **headers)
        refusal[0] = Response.json({"error": f"cannot continue {prompt}"}, 422)
        served.post("/generate", {"inputs": prompt}, **headers)
        served.wait_until_idle()
        metrics = served.gateway.metrics.text()
    assert len(lines) == 7
    assert CANARY not in "".join(lines) + metrics
    assert [json.loads(line)["status"] for line in lines] == [200, 400, 404, 401, 404, 422, 422]


def test_unexpected_error_is_told_by_its_place(gateway, lines, monkeypatch):
    """An error of our own is logged by its kind and place, not by its words, and the client gets 500."""

    def fail(*_args, **_options):
        raise ValueError(CANARY)

    monkeypatch.setattr("streamkit.web.gateway.answering.read_body", fail)
    reply = gateway.post("/generate", {"inputs": "x"})
    assert (reply.status, reply.json["error"]) == (500, "An error occurred.")
    first = json.loads(lines[0])
    assert first["error"] == "ValueError"
    assert first["at"].startswith("test_log.py:")
    assert CANARY not in "".join(lines)


def test_metrics_have_bounded_labels(gateway):
    """Paths, models and methods that clients make up add no line to the metrics."""
    gateway.post("/generate_stream", {"inputs": "x"})
    gateway.post("/unknown-0", {})
    gateway.wait_until_idle()
    before = len(gateway.gateway.metrics.text().splitlines())
    for number in range(1, 20):
        gateway.post(f"/unknown-{number}", {})
        gateway.ask(f"METHOD{number}"[:4], f"/unknown-{number}")
    gateway.post("/generate_stream", {"inputs": "x"})
    gateway.wait_until_idle()
    text = gateway.get("/metrics").text
    assert len(text.splitlines()) <= before + 1
    assert "unknown" not in text


def test_metrics_measure_answers(serve):
    """First token, gaps, durations and the time of our own are counted."""
    script = ["Take", " tram", " 28.", ScriptedToken("</s>", special=True)]
    with EmulatedEndpoint(script, gate=True) as model, serve(model.url) as gateway:
        with gateway.connect() as connection:
            connection.ask("POST", "/generate_stream", {"inputs": "x"})
            model.release(1)
            connection.wait_for(b"Take")  # so the rest comes in a read of its own
            model.release(3)
            connection.reply()
        gateway.wait_until_idle()
        reply = gateway.get("/metrics")
        assert reply.headers["content-type"].startswith("text/plain; version=0.0.4")
        for line in (
            'streamkit_time_to_first_token_seconds_count{pipeline="travel"} 1',
            'streamkit_answer_duration_seconds_count{pipeline="travel"} 1',
            'streamkit_answers_total{pipeline="travel",route="/generate_stream",outcome="completed"} 1',
            'streamkit_streams_active{pipeline="travel"} 0',
            'streamkit_tokens_total{pipeline="travel"} 4',
        ):
            assert line in reply.text
        assert gateway.metric('streamkit_added_latency_seconds_count{pipeline="travel"}') >= 1
