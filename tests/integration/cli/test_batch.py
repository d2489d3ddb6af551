"""`streamkit batch` as users run it: on a terminal, with Ctrl-C, in a pipe."""

import json
import re
import threading

import pytest

from streamkit.testing import EmulatedEndpoint, ScriptedToken


@pytest.fixture
def questions(tmp_path):
    """Return a file of three questions."""
    path = tmp_path / "questions.jsonl"
    path.write_text('"one"\n"two"\n"three"\n')
    return path


def test_ctrl_c_keeps_what_is_done(terminal, streamkit, questions, tmp_path):
    """It exits with 130 and closes what is under way, which is asked again, and nothing else is."""
    out = tmp_path / "answers.jsonl"
    arguments = ("batch", str(questions), "--out", str(out), "--concurrency", "2", "--api", "tgi")

    def script(seen):
        return ["Hel", "lo"] if seen.body["inputs"] == "one" else ["never", ScriptedToken(" more", gate=never)]

    never = threading.Event()
    with EmulatedEndpoint(script) as server:
        shell = terminal(*arguments, "--endpoint", server.url)
        for _ in range(3):
            server.wait_for_request(20)
        shell.screen(b"1 done")

        shell.type(b"\x03")

        screen = shell.screen(None)
        assert shell.process.wait(30) == 130
        assert all(request.client_left.wait(5) for request in server.requests if request.body["inputs"] != "one")
    assert re.search(r"\n.*1 done · 0 skipped · 0 failed · [\d.]+ tokens/s.*\n$", screen)
    assert "Traceback" not in screen
    assert [json.loads(line)["text"] for line in out.read_text(encoding="utf-8").splitlines()] == ["Hello"]

    with EmulatedEndpoint(["Hello"]) as server:
        done = streamkit(*arguments, "--endpoint", server.url)
        assert sorted(request.body["inputs"] for request in server.requests) == ["three", "two"]
    assert done.returncode == 0
    assert done.stderr.decode().startswith("2 done · 1 skipped · 0 failed · ")


def test_questions_may_come_through_a_pipe(streamkit, tmp_path):
    """And nothing goes to stdout."""
    with EmulatedEndpoint(["Hello"]) as server:
        done = streamkit("batch", "-", "--out", "answers.jsonl", "--endpoint", server.url, stdin=b'"one"\n')
    assert (done.returncode, done.stdout) == (0, b"")
    assert json.loads((tmp_path / "answers.jsonl").read_text(encoding="utf-8"))["text"] == "Hello"


def test_a_reason_that_is_not_the_rows_own_ends_it_with_one_sentence(streamkit, questions, tmp_path):
    """After the tally, without a traceback."""
    questions.write_text('"Hi"\n' * 50)
    done = streamkit(
        *("batch", str(questions), "--out", "answers.jsonl", "--endpoint", "http://127.0.0.1:1"),
        *("--retries", "0", "--concurrency", "1"),
    )
    tally, said = done.stderr.decode().splitlines()
    assert (done.returncode, done.stdout) == (1, b"")
    assert tally == "0 done · 0 skipped · 10 failed · given up"
    assert said.startswith("streamkit: no connection to http://127.0.0.1:1")
