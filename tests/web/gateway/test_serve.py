"""`streamkit serve` as a process: how it starts, what it refuses, and how it stops."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest

from streamkit.testing import EmulatedEndpoint, Response

COMMAND = [sys.executable, "-m", "streamkit", "serve"]


@contextmanager
def process(*arguments, env=None):
    """Run the command, and wait until it serves; gives the process and its port."""
    environment = {**os.environ, "NO_COLOR": "1", **(env or {})}
    running = subprocess.Popen([*COMMAND, *arguments], stderr=subprocess.PIPE, text=True, env=environment)  # noqa: S603 - our own
    try:
        said = ""
        while (port := re.search(r"on http://[^ ]*:(\d+) ", said)) is None:
            line = running.stderr.readline()
            assert line, said
            said += line
        yield running, int(port[1])
    finally:
        running.kill()
        running.wait()
        running.stderr.close()


@pytest.fixture
def config(tmp_path):
    """Return a function that writes the file of a gateway before a URL."""

    def write(url, gateway="grace = 0.5"):
        path = tmp_path / "gateway.toml"
        source = f'source = {{ use = "endpoint", url = "{url}", api = "tgi" }}'
        path.write_text(f"[gateway]\nport = 0\n{gateway}\n[pipelines.travel]\n{source}\n")
        return str(path)

    return write


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_lets_answers_end_with_a_word(config, gated, connect, number):
    """Open streams end in their own protocol within the grace time, and the process right after it."""
    routes = {
        "/generate_stream": {"inputs": "x"},
        "/v1/chat/completions": {"messages": [{"role": "user", "content": "x"}], "stream": True},
        "/api/completion": {"prompt": "x"},
        "/api/text/completion": {"prompt": "x"},
    }
    with process("--config", config(gated.url)) as (running, port):
        connections = []
        for path, body in routes.items():
            connections.append(connect(port))
            connections[-1].ask("POST", path, body)
            gated.wait_for_request()
        gated.release(2)
        for connection in connections:
            connection.wait_for(b"word ")
        started = time.monotonic()
        running.send_signal(number)
        replies = [connection.reply() for connection in connections]
        running.wait(5)
        assert 0.5 <= time.monotonic() - started < 2
    tgi, chat, ui, text = replies
    assert json.loads(tgi.text.split("data: ")[-1])["error_type"] == "incomplete_generation"
    assert chat.text.endswith("data: [DONE]\n\n")
    assert '"error":' in chat.text
    assert '{"type":"abort"}' in ui.text
    assert [tgi.complete, chat.complete, ui.complete, text.complete] == [True, True, True, False]
    assert all(seen.client_left.wait(1) for seen in gated.requests)
    assert running.returncode in {-number, 128 + number}


def test_signal_waits_for_answers_that_end(config, connect):
    """An answer that ends within the grace time is whole; new requests are refused meanwhile."""
    with (
        EmulatedEndpoint(["word "] * 5, gate=True) as model,
        process("--config", config(model.url, "grace = 10")) as (
            running,
            port,
        ),
    ):
        idle, busy = connect(port), connect(port)
        idle.ask("GET", "/health")
        assert idle.reply().status == 200
        busy.ask("POST", "/generate_stream", {"inputs": "x"})
        model.wait_for_request()
        model.release(1)
        busy.wait_for(b"word ")
        running.send_signal(signal.SIGTERM)
        assert idle.socket.recv(1) == b""  # the gateway has let go of it: it is being stopped
        with pytest.raises(ConnectionRefusedError):
            connect(port)
        model.release(99)
        reply = busy.reply()
        running.wait(5)
    assert '"generated_text":"word word word word word "' in reply.text
    assert reply.complete


def test_signal_resets_nobody_who_has_connected(config, model, connect):
    """Who was quicker than the signal is answered, even where the gateway has not heard of the connection yet."""
    with process("--config", config(model.url, "grace = 10")) as (running, port):
        running.send_signal(signal.SIGSTOP)
        connections = [connect(port) for _ in range(20)]
        for connection in connections[::2]:
            connection.ask("POST", "/generate", {"inputs": "x"})
        running.send_signal(signal.SIGTERM)
        running.send_signal(signal.SIGCONT)
        for connection in connections[1::2]:
            connection.ask("POST", "/generate", {"inputs": "x"})
        assert [connection.reply().status for connection in connections] == [200] * 20
        running.wait(5)


def test_client_that_does_not_read_is_cut_after_grace(config, connect):
    """A client that takes nothing does not keep the process alive."""
    with (
        EmulatedEndpoint(["x" * 4000] * 4000) as model,
        process("--config", config(model.url, "grace = 0.2")) as (running, port),
    ):
        connection = connect(port)
        connection.ask("POST", "/generate_stream", {"inputs": "x", "parameters": {"max_new_tokens": 4000}})
        connection.wait_for(b"xxx")
        running.send_signal(signal.SIGTERM)
        running.wait(3)


def test_log_is_json(config, model, connect):
    """Each line on stderr after the greeting is a JSON object."""
    with process("--config", config(model.url)) as (running, port):
        with connect(port) as connection:
            connection.ask("POST", "/generate", {"inputs": "secret prompt"}, {"connection": "close"})
            assert connection.reply().status == 200
        running.send_signal(signal.SIGTERM)
        running.wait(5)
        lines = running.stderr.read().splitlines()
    assert [json.loads(line)["event"] for line in lines] == ["request"]
    assert "secret prompt" not in "".join(lines)


def test_failures_are_logged_without_words(config, connect):
    """What a model says of a prompt, as it refuses it or breaks, is not on stderr; with --verbose it is."""
    refusal = Response.json({"error": "cannot continue: canary"}, 422)
    with EmulatedEndpoint(respond=refusal) as model:
        for options, expected in (((), False), (("--verbose",), True)):
            with process("--config", config(model.url), *options) as (running, port):
                for path in ("/generate_stream", "/api/text/completion"):
                    with connect(port) as connection:
                        connection.ask("POST", path, {"inputs": "x", "prompt": "x"}, {"connection": "close"})
                        assert connection.reply().status == 422
                running.send_signal(signal.SIGTERM)
                running.wait(5)
                assert ("canary" in running.stderr.read()) is expected


def test_demo_serves_both_pipelines(connect):
    """The demo needs nothing, says that it is one, and cuts what the script's model says too much."""
    with process("--demo", "--port", "0") as (_, port), connect(port) as connection:
        connection.ask("POST", "/api/text/completion", {"prompt": "How?", "model": "script"})
        assert connection.reply().text == "In Lisbon, take the yellow tram 28.\nUse a day ticket (€6.80)."


def _refused(*arguments, env=None):
    done = subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=20, check=False, env=env)  # noqa: S603 - our own
    assert done.stdout == ""
    return done


def test_mistake_in_the_file_is_one_line(config):
    """A misspelt key ends the command with 2 and one line that names file, place and remedy."""
    done = _refused("--config", config("http://127.0.0.1:1", "grase = 1"))
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert "gateway.toml: gateway: unknown option 'grase'; did you mean 'grace'?" in done.stderr


def test_open_to_the_network_is_refused_without_a_key(config):
    """Also when the address comes from the command line."""
    done = _refused("--config", config("http://127.0.0.1:1"), "--host", "0.0.0.0")  # noqa: S104 - it must be refused
    assert done.returncode == 2
    assert "there is no key" in done.stderr


def test_address_that_is_taken_is_one_line(config, gateway):
    """A port that another program has is said in one line."""
    done = _refused("--config", config("http://127.0.0.1:1"), "--port", str(gateway.port))
    assert done.returncode == 2
    assert f"cannot listen on 127.0.0.1 port {gateway.port}" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_something_to_serve_is_needed():
    """Neither a file nor the demo, or both, is a misuse."""
    assert _refused().returncode == 2
    assert _refused("--demo", "--config", "x.toml").returncode == 2
