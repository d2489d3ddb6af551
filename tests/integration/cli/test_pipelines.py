"""The command with a file, with tries that fail, and with recordings."""

import json
import re
import stat

import pytest

from streamkit.testing import EmulatedEndpoint, Response, ScriptedToken

BEGINNING = ScriptedToken("<s>", special=True)
END = ScriptedToken("</s>", special=True)
ANSWER = [BEGINNING, "Hel", "lo", "!", "\nUs", "er: x", END]
LOADING = Response(status=503, body='{"error": "Model is loading", "estimated_time": 0.01}')


class TestFiles:
    """`--pipeline`."""

    @pytest.fixture
    def describe(self, tmp_path):
        """Return a function that writes a pipeline file and gives its name."""

        def describe(url, rest=""):
            (tmp_path / "p.toml").write_text(
                f'[source]\nuse = "retry"\n[source.source]\nuse = "endpoint"\nurl = "{url}"\n'
                'token = {env = "OUR_TOKEN"}\n'
                '[[transforms]]\nuse = "skip_special_tokens"\n'
                '[[transforms]]\nuse = "stop_sequences"\nstops = "\\nUser:"\n'
                f"[parameters]\nmax_new_tokens = 50\nseed = 1\n{rest}"
            )
            return "p.toml"

        return describe

    def test_a_file_describes_the_whole_pipeline(self, streamkit, describe):
        """Source, chain and parameters; those of the command line win."""
        with EmulatedEndpoint(ANSWER) as server:
            arguments = ("--pipeline", describe(server.url), "--param", "seed=2")
            done = streamkit("run", "Hello", *arguments, OUR_TOKEN="secret")
            parameters = server.requests[-1].body["parameters"]

        assert (done.returncode, done.stdout) == (0, b"Hello!")
        assert (parameters["max_new_tokens"], parameters["seed"], parameters["stop"]) == (50, 2, ["\nUser:"])
        assert server.requests[-1].headers["Authorization"] == "Bearer secret"

    def test_the_sinks_of_a_file_get_the_answer_too(self, streamkit, describe, tmp_path):
        """But a console in it does not show it twice."""
        sinks = '[[sinks]]\nuse = "console"\n[[sinks]]\nuse = "json_lines"\ntarget = "runs.jsonl"\n'
        with EmulatedEndpoint(ANSWER) as server:
            done = streamkit("run", "Hello", "--pipeline", describe(server.url, sinks), OUR_TOKEN="secret")

        assert done.stdout == b"Hello!"
        line = json.loads((tmp_path / "runs.jsonl").read_text())
        assert (line["prompt"], line["text"]) == ("Hello", "Hello!")

    def test_a_mistake_in_a_file_is_one_line_with_its_place(self, streamkit, describe):
        """And status 2."""
        done = streamkit("run", "Hello", "--pipeline", describe("http://127.0.0.1:1"))
        assert (done.returncode, done.stdout) == (2, b"")
        assert done.stderr.decode() == (
            "streamkit: p.toml: source (retry): source (endpoint): token: the environment variable 'OUR_TOKEN' is not "
            "set\n"
        )

    def test_options_of_the_chain_are_refused_beside_a_file(self, streamkit, describe):
        """It has one."""
        done = streamkit(
            "run", "Hello", "--pipeline", describe("http://127.0.0.1:1"), "--stop", "#", OUR_TOKEN="secret"
        )
        assert done.returncode == 2
        assert b"--pipeline describes the chain" in done.stderr


class TestTries:
    """`--retries` and `--load-timeout`."""

    def test_a_busy_server_is_asked_again(self, streamkit):
        """With a line for each failed try."""
        busy = iter([Response(status=429, headers={"Retry-After": "0"})] * 2)
        with EmulatedEndpoint(["Hello"], respond=lambda _: next(busy, None)) as server:
            done = streamkit("run", "Hi", "--endpoint", server.url, "--api", "tgi", "--retries", "2")

        assert (done.returncode, done.stdout) == (0, b"Hello")
        lines = done.stderr.decode().splitlines()
        for number in (1, 2):
            assert re.match(rf"try {number} failed after \d+ s, the next is in 0 s: ", lines[number - 1])
        assert "answered 429" in lines[0]
        assert len(lines) == 3

    def test_tries_come_to_an_end(self, streamkit):
        """The error of the last one is the command's."""
        busy = Response(status=429, headers={"Retry-After": "0"})
        with EmulatedEndpoint(["Hello"], respond=busy) as server:
            done = streamkit("run", "Hi", "--endpoint", server.url, "--api", "tgi", "--retries", "1")

        assert done.returncode == 1
        assert len(server.requests) == 2
        assert re.fullmatch(r"try 1 .*\nstreamkit: .*answered 429.*\n", done.stderr.decode())

    def test_a_model_that_is_loading_is_waited_for(self, streamkit):
        """However many tries that takes, and each is said."""
        loading = iter([LOADING] * 5)
        with EmulatedEndpoint(["Hello"], respond=lambda _: next(loading, None)) as server:
            done = streamkit("run", "Hi", "--endpoint", server.url, "--api", "tgi", "--load-timeout", "20")

        assert (done.returncode, done.stdout) == (0, b"Hello")
        assert done.stderr.decode().count("Model is loading") == 5

    def test_without_the_options_nothing_is_asked_again(self, streamkit):
        """Once is what was asked for."""
        with EmulatedEndpoint(["Hello"], respond=LOADING) as server:
            done = streamkit("run", "Hi", "--endpoint", server.url, "--api", "tgi")
        assert (done.returncode, len(server.requests)) == (1, 1)

    def test_a_limit_of_the_command_line_ends_the_answer(self, streamkit):
        """And is named by what came too late."""
        with EmulatedEndpoint(["Hel", ScriptedToken("lo", delay=20)]) as server:
            done = streamkit("run", "Hi", "--endpoint", server.url, "--api", "tgi", "--token-timeout", "0.2")
        assert (done.returncode, done.stdout) == (1, b"Hel")
        assert b"no further token came" in done.stderr


class TestRecordings:
    """`streamkit record` and `streamkit replay`."""

    def test_what_is_recorded_is_replayed(self, streamkit, tmp_path):
        """The recording has the whole answer; what is done to it is the replay's to say."""
        with EmulatedEndpoint(ANSWER) as server:
            done = streamkit("record", "Hello", "--endpoint", server.url, "--api", "tgi", "--out", "hello.jsonl")
        assert (done.returncode, done.stdout) == (0, b"Hello!\nUser: x")
        assert b"7 tokens" in done.stderr
        assert stat.S_IMODE((tmp_path / "hello.jsonl").stat().st_mode) == 0o600

        for arguments in ((), ("--speed", "100")):
            done = streamkit("replay", "hello.jsonl", "--stop", r"\nUser:", *arguments)
            assert (done.returncode, done.stdout) == (0, b"Hello!")
            assert b"stop_sequence" in done.stderr

    def test_a_recording_is_not_written_over(self, streamkit, tmp_path):
        """And nothing is asked."""
        (tmp_path / "hello.jsonl").write_text("precious")
        with EmulatedEndpoint(ANSWER) as server:
            done = streamkit("record", "Hello", "--endpoint", server.url, "--api", "tgi", "--out", "hello.jsonl")
            assert not server.requests
        assert done.returncode == 2
        assert (tmp_path / "hello.jsonl").read_text() == "precious"

    def test_a_server_that_refuses_leaves_no_file(self, streamkit, tmp_path):
        """The command can be run again."""
        with EmulatedEndpoint(ANSWER, respond=Response(status=404)) as server:
            done = streamkit("record", "Hello", "--endpoint", server.url, "--api", "tgi", "--out", "hello.jsonl")
        assert done.returncode == 1
        assert not (tmp_path / "hello.jsonl").exists()

    def test_an_answer_that_cannot_be_recorded_fails_the_command(self, streamkit):
        """It is shown, and why there is no file is said."""
        whole = Response(status=200, content_type="application/json", body='{"generated_text": "Hello"}')
        with EmulatedEndpoint(ANSWER, respond=whole) as server:
            done = streamkit("record", "Hello", "--endpoint", server.url, "--api", "tgi", "--out", "hello.jsonl")
        assert (done.returncode, done.stdout) == (1, b"Hello")
        assert b"the source showed no bytes of its answer" in done.stderr

    def test_a_text_that_is_not_the_servers_own_is_pointed_out(self, streamkit, tmp_path):
        """In the closing line, and in the result."""
        (tmp_path / "body").write_text('data: {"token":{"id":1,"text":"Ho","special":false},"generated_text":"Hi"}\n\n')
        done = streamkit("replay", "body", "--format", "tgi")
        assert (done.returncode, done.stdout) == (0, b"Ho")
        assert b"not the text that the server says it generated" in done.stderr
        assert json.loads(streamkit("replay", "body", "--format", "tgi", "--json").stdout)["reconciled"] is False


def test_the_text_is_saved_too(streamkit, tmp_path):
    """In a new file."""
    with EmulatedEndpoint(ANSWER) as server:
        arguments = ("run", "Hello", "--endpoint", server.url, "--api", "tgi", "--stop", r"\nUser:", "--save", "a.txt")
        first, second = streamkit(*arguments), streamkit(*arguments)
    assert (first.returncode, (tmp_path / "a.txt").read_text(), first.stdout) == (0, "Hello!", b"Hello!")
    assert second.returncode == 1
    assert b"exists" in second.stderr


def test_a_transform_takes_options(streamkit):
    """In place of the recommended chain."""
    with EmulatedEndpoint(ANSWER) as server:
        arguments = ("--transform", "skip_special_tokens", "--transform", r'stop_sequences:stops=["lo","\n"]')
        done = streamkit("run", "Hello", "--endpoint", server.url, "--api", "tgi", *arguments)
    assert (done.returncode, done.stdout) == (0, b"Hel")
