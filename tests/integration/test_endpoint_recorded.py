"""Answers of real servers, recorded and played again; what a server echoes of a token is not in the file."""

import base64
import json
import os
import signal
import subprocess
import sys

import pytest

from streamkit import Endpoint, Pipeline, Record, Replay, Retry, SourceError, TruncatedStreamError
from streamkit.testing import EmulatedEndpoint, Response

CANARY = "hf_CanaryThatMustNotSing0123456789"
ECHO = CANARY.encode()
STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
CHAT = [{"role": "user", "content": "A question that is private"}]


def event(text, end="null"):
    """An event of TGI with some bytes as its text."""
    return b'data: {"token":{"id":1,"text":"%b","special":false},"generated_text":%b}\n\n' % (text, end.encode())


def told(result):
    """What a run came to, without its times."""
    return result.text, result.outcome, result.finish_reason, result.usage, result.reasoning, result.tokens


@pytest.mark.parametrize("question", ["A question that is private", CHAT], ids=["prompt", "chat"])
@pytest.mark.parametrize("engine", ["tgi", "vllm", "openai", "ollama"])
def test_a_recording_plays_as_the_server_did(drive, tmp_path, eos, engine, question):
    """Whatever the engine speaks, and at its pace, too; neither the question nor a header is in the file."""
    path = tmp_path / "answer"
    with EmulatedEndpoint(["Grüß", " dich", "!", eos], engine=engine, model="m") as server:
        api = "ollama" if engine == "ollama" else "chat" if engine == "openai" else "auto"
        live = drive(Record(Endpoint(server.url, model="m", api=api, headers={"X-Mine": "a-header"}), path), question)
    assert live.error is None
    for replay in (Replay(path), Replay(path, speed=10)):
        assert told(drive(replay, question).result) == told(live.result)
    content = path.read_text("utf-8")
    assert json.loads(content.splitlines()[-1])["end"] == "complete"
    assert not any(private in content for private in ("private", "a-header", "Authorization"))


class TestEchoes:
    """A server that repeats what it was sent."""

    @pytest.mark.parametrize(
        "options",
        [
            {"token": CANARY},
            {"headers": {"X-Api-Key": CANARY}},
            {"headers": {"Authorization": f"Bearer {CANARY}"}},
            {"headers": {"authorization": f"bearer {CANARY}"}},
            {"headers": {"Authorization": f"Basic {CANARY}"}},
        ],
    )
    def test_a_token_is_not_in_the_file(self, drive, serve, tmp_path, options):
        """However it was passed; the rest of the answer is."""
        path = tmp_path / "answer"
        body = event(b"a %b z" % ECHO) + event(b"\xff" + ECHO) + event(b"!", '"x"')
        server = serve(lambda connection, _: connection.sendall(STREAM + body))
        played = drive(Record(Endpoint(server.url, api="tgi", **options), path))
        assert ECHO in server.requests[0]
        assert played.text.count(CANARY) == 2
        content = path.read_bytes()
        lines = [json.loads(line) for line in content.splitlines()]
        raw = b"".join(base64.b64decode(line.get("base64", "")) + line.get("data", "").encode() for line in lines)
        assert CANARY[:8].encode() not in content + raw
        assert raw == body.replace(ECHO, b"***")
        assert drive(Replay(path)).text == played.text.replace(CANARY, "***")

    @pytest.mark.parametrize(
        "body", [event(b"one") + b'data: {"error":"' + ECHO + b'"}\n\n', event(b"one") + b'data: {"' + ECHO]
    )
    def test_a_stream_that_fails_has_no_token_either(self, drive, serve, tmp_path, body):
        """An error, or half an event."""
        path = tmp_path / "answer"
        server = serve(lambda connection, _: connection.sendall(STREAM + body))
        played = drive(Record(Endpoint(server.url, api="tgi", token=CANARY), path))
        assert isinstance(played.error, SourceError)
        assert CANARY[:8].encode() not in path.read_bytes()
        assert json.loads(path.read_bytes().splitlines()[-1])["end"] == "broken"
        assert drive(Replay(path)).text == "one"


def test_a_refusal_leaves_no_file_and_the_try_after_it_does(drive, tmp_path):
    """A busy server is asked again."""
    path = tmp_path / "answer"
    busy_once = iter([Response(status=429, headers={"Retry-After": "0"})])
    with EmulatedEndpoint(["Hello"], respond=lambda _: next(busy_once, None)) as server:
        played = drive(Retry(Record(Endpoint(server.url, api="tgi"), path)))
    assert played.text == drive(Replay(path)).text == "Hello"


def test_an_answer_that_is_no_stream_leaves_a_warning(drive, serve, tmp_path, caplog):
    """It came whole, and there is nothing to play."""
    body = b'[{"generated_text":"Hello"}]'
    whole = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    server = serve(lambda connection, _: connection.sendall(whole))
    assert drive(Record(Endpoint(server.url, api="tgi"), tmp_path / "answer")).text == "Hello"
    assert list(tmp_path.iterdir()) == []
    assert "showed no bytes" in caplog.text


KILLED = """\
import sys
from streamkit import Endpoint, Pipeline, Record
with Pipeline(Record(Endpoint(sys.argv[1], api="tgi"), sys.argv[2])).stream("Hi") as stream:
    for text in stream:
        print(text, flush=True)
"""


def test_a_process_that_is_killed_leaves_what_came(tmp_path):
    """Whatever was shown is in the file, and the recording plays as a truncated stream."""
    path = tmp_path / "answer"
    with EmulatedEndpoint(["a"] * 100_000, pace=0.001) as server:
        process = subprocess.Popen(  # noqa: S603 - this interpreter and our own code
            [sys.executable, "-c", KILLED, server.url, str(path)], stdout=subprocess.PIPE
        )
        with process:
            shown = [process.stdout.readline() for _ in range(20)]
            os.kill(process.pid, signal.SIGKILL)
    with pytest.raises(TruncatedStreamError, match="nobody wrote its end") as caught:
        Pipeline(Replay(path)).run("Hi")
    assert caught.value.result.tokens >= len(shown)
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(TruncatedStreamError) as torn:
        Pipeline(Replay(path)).run("Hi")
    assert caught.value.result.text.startswith(torn.value.result.text)
