"""`streamkit run` between other programs: what goes to stdout, what to stderr, and how it exits."""

import json
import math
import re
import subprocess
import sys
from pathlib import Path

import pytest

from streamkit.testing import EmulatedEndpoint, Response, ScriptedToken

FULL = Path("/dev/full")
BEGINNING = ScriptedToken("<s>", special=True)
END = ScriptedToken("</s>", special=True)


def test_the_answer_goes_to_stdout_and_everything_else_to_stderr(streamkit):
    """Clean text alone is on stdout; times, tokens, reason and stop are on stderr."""
    with EmulatedEndpoint(script=[BEGINNING, "Hel", "lo", "!", "\nUs", "er: x", " y"]) as server:
        done = streamkit("run", "Say hello", "--endpoint", server.url, "--stop", r"\nUser:")

    assert (done.returncode, done.stdout) == (0, b"Hello!")
    assert re.fullmatch(
        r"first token \d+ ms · [\d.]+ tokens/s · \d+ tokens · stop_sequence '\\nUser:'\n", done.stderr.decode()
    )


@pytest.mark.parametrize("environment", ["async"], indirect=True)
def test_a_plugin_that_awaits_is_awaited(streamkit):
    """Whoever types a command does not know how a plugin is written, and need not."""
    with EmulatedEndpoint(script=["Hel", "lo", END]) as server:
        done = streamkit("run", "Say hello", "--endpoint", server.url, OWL="1")

    assert (done.returncode, done.stdout) == (0, b"Hello")
    assert done.stderr.startswith(b"the owl saw 'Hello'\n")


@pytest.mark.parametrize("arguments", [(), ("-",)])
def test_the_prompt_may_come_through_a_pipe(streamkit, arguments):
    """What another program prints is asked, without its last line end."""
    with EmulatedEndpoint(script=["Hello", END]) as server:
        done = streamkit("run", *arguments, "--endpoint", server.url, "--api", "tgi", stdin="Grüß\nmich\n".encode())
        (request,) = server.requests

    assert done.stdout == b"Hello"
    assert request.body["inputs"] == "Grüß\nmich"


def test_parameters_and_the_token_reach_the_server(streamkit):
    """Parameters are typed, and the token comes from the variable named."""
    with EmulatedEndpoint(script=["Hello", END], api_key="hf_canary") as server:
        done = streamkit(
            *("run", "Hi", "--endpoint", server.url, "--api", "tgi", "--token-env", "MY_TOKEN"),
            *("--param", "max_new_tokens=5", "--param", "temperature=0.5"),
            MY_TOKEN="hf_canary",
        )
        request = server.requests[-1]

    assert done.returncode == 0
    assert request.body["parameters"]["max_new_tokens"] == 5
    assert request.body["parameters"]["temperature"] == 0.5
    assert b"hf_canary" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("arguments", "roles"), [(("--chat",), ["user"]), (("--system", "Be brief"), ["system", "user"])]
)
def test_a_conversation_is_asked_on_request(streamkit, arguments, roles):
    """`--chat` and `--system` ask the chat route."""
    with EmulatedEndpoint(script=["Hello", END]) as server:
        done = streamkit("run", "Hi", "--endpoint", server.url, *arguments)
        request = server.requests[-1]

    assert done.stdout == b"Hello"
    assert [message["role"] for message in request.body["messages"]] == roles


def test_json_is_one_object_with_the_result(streamkit):
    """Programs get the whole result on one line, and times on stderr do not disturb them."""
    with EmulatedEndpoint(script=[BEGINNING, "Hel", "lo", END]) as server:
        done = streamkit("run", "Hi", "--endpoint", server.url, "--api", "tgi", "--json")

    result = json.loads(done.stdout)
    assert done.stdout.count(b"\n") == 1
    assert (result["text"], result["outcome"], result["finish_reason"]) == ("Hello", "completed", "eos_token")
    assert result["usage"]["completion_tokens"] == 4


def test_tokens_are_shown_one_a_line(streamkit):
    """Somebody who wonders what a model sends sees ids, special tokens and exact text."""
    with EmulatedEndpoint(
        script=[ScriptedToken("<s>", special=True, id=1), ScriptedToken(" Hi\n", id=42), END]
    ) as server:
        done = streamkit("run", "Hi", "--endpoint", server.url, "--api", "tgi", "--show", "tokens")

    assert done.stdout.decode().splitlines()[:2] == [
        "      1  special  ''  of '<s>'",
        r"     42           ' Hi\n'",
    ]


def test_named_transforms_replace_the_recommended_chain(streamkit):
    """With a chain of one's own, nothing else is done to the text."""
    with EmulatedEndpoint(script=[BEGINNING, "  Hi", "</s>", "!"]) as server:
        done = streamkit("run", "Hi", "--endpoint", server.url, "--api", "tgi", "--transform", "trim_start")

    assert done.stdout == b"<s>  Hi</s>!"


@pytest.mark.parametrize("raw", [False, True])
def test_control_characters_are_symbols_unless_raw_text_is_asked_for(streamkit, raw):
    """A file gets the exact bytes with `--raw`, and harmless text without."""
    with EmulatedEndpoint(script=["\x1b", "]0;x\x07", END]) as server:
        done = streamkit("run", "Hi", "--endpoint", server.url, *(["--raw"] * raw))

    assert done.stdout == (b"\x1b]0;x\x07" if raw else "␛]0;x␇".encode())


def test_a_server_that_is_not_there_is_one_sentence(streamkit):
    """No traceback, nothing on stdout, and a message with the address."""
    done = streamkit("run", "Hi", "--endpoint", "http://127.0.0.1:1")

    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.startswith(b"streamkit: no connection to http://127.0.0.1:1")
    assert done.stderr.count(b"\n") == 1


def test_the_traceback_is_there_on_request(streamkit):
    """STREAMKIT_DEBUG shows where an error came from."""
    done = streamkit("run", "Hi", "--endpoint", "http://127.0.0.1:1", STREAMKIT_DEBUG="1")

    assert done.returncode == 1
    assert b"Traceback" in done.stderr


@pytest.mark.parametrize("as_json", [False, True])
def test_a_failed_answer_keeps_its_partial_text(streamkit, as_json):
    """Text that arrived before the stream broke is on stdout; stderr says how far it got and what happened."""
    body = b'data: {"index":1,"token":{"id":5,"text":"Hel","logprob":-0.1,"special":false}}\n\n'
    broken = Response(body=body, headers={"Content-Type": "text/event-stream"})
    with EmulatedEndpoint(respond=broken) as server:
        done = streamkit("run", "Hi", "--endpoint", server.url, "--api", "tgi", *(["--json"] * as_json))

    assert done.returncode == 1
    if as_json:
        result = json.loads(done.stdout)
        assert (result["text"], result["error"]["type"]) == ("Hel", "TruncatedStreamError")
    else:
        assert done.stdout == b"Hel"
    closing, error = done.stderr.decode().splitlines()
    assert closing.endswith("1 token · failed")
    assert error.startswith("streamkit: ")


def test_a_reader_that_leaves_ends_the_command_quietly(environment):
    """`| head` costs no traceback, and the model stops at once."""
    with EmulatedEndpoint(lambda _: iter(lambda: "word\n", None), gate=True) as server:
        process = subprocess.Popen(  # noqa: S603 - this interpreter and our own code
            [sys.executable, "-m", "streamkit", "run", "Hi", "--endpoint", server.url, "--api", "tgi"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
        )
        server.release(1)
        assert process.stdout.readline() == b"word\n"
        process.stdout.close()
        server.release(math.inf)
        errors = process.stderr.read()
        process.stderr.close()

        assert (process.wait(30), errors) == (141, b"")
        assert server.requests[-1].client_left.wait(5)


@pytest.mark.skipif(not FULL.exists(), reason="needs /dev/full")
def test_a_full_disk_is_one_sentence(environment):
    """The failure is not hidden, and the interpreter adds no noise as it exits."""
    with EmulatedEndpoint(script=["Hello", END]) as server, FULL.open("wb") as full:
        done = subprocess.run(  # noqa: S603 - this interpreter and our own code
            [sys.executable, "-m", "streamkit", "run", "Hi", "--endpoint", server.url],
            stdin=subprocess.DEVNULL,
            stdout=full,
            stderr=subprocess.PIPE,
            env=environment,
            timeout=30,
            check=False,
        )

    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith(b"streamkit: sink Console")
    assert b"No space left" in done.stderr
    assert b"Exception ignored" not in done.stderr


def test_help_loads_nothing_that_a_run_needs(streamkit):
    """What is imported is what `--help` costs; `make bench` says how long that takes."""
    code = (
        "import sys; from streamkit.cli.app import app; app(['--help'], standalone_mode=False); "
        "print([name for name in ('aiohttp', 'huggingface_hub', 'urllib3', 'asyncio') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603 - our own code
    assert done.stdout.rstrip().endswith("[]")
