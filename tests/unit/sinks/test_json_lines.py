"""The JSON lines sink: one whole line for each event or result."""

import io
import json
import os
import stat
import threading

import pytest

from streamkit.errors import ConfigurationError, GenerationError
from streamkit.events import Token
from streamkit.request import Request
from streamkit.sinks import JsonLines


def _read(path):
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def test_one_line_per_result_with_its_question(tmp_path, play, finish):
    """Each run adds one object, and the answer can be joined to what was asked."""
    path = tmp_path / "results.jsonl"
    sink = JsonLines(path)

    play(sink, "Hel", "lo", finish)
    play(sink, "Bye")

    assert [(line["prompt"], line["text"], line["outcome"]) for line in _read(path)] == [
        ("Say hello", "Hello", "completed"),
        ("Say hello", "Bye", "completed"),
    ]


def test_a_conversation_is_kept_as_messages(tmp_path, play):
    """A run that was asked with messages has them in place of a prompt."""
    path = tmp_path / "results.jsonl"
    messages = [{"role": "user", "content": "Hello"}]
    writer = JsonLines(path).open(Request(messages=messages))

    writer.close(play(JsonLines(io.StringIO()), "Hi"))

    assert _read(path)[0]["messages"] == messages
    assert "prompt" not in _read(path)[0]


def test_a_failed_run_is_a_line_with_its_error(tmp_path, play):
    """The partial text and the error's type and message are kept."""
    path = tmp_path / "results.jsonl"

    play(JsonLines(path), "Hel", error=GenerationError("out of memory"))

    (line,) = _read(path)
    assert (line["outcome"], line["text"]) == ("failed", "Hel")
    assert line["error"] == {"type": "GenerationError", "message": "out of memory"}


def test_one_line_per_event_and_one_for_the_end(tmp_path, play, finish):
    """Events are told apart by type, runs by `run`, and the last line of a run says how it ended."""
    path = tmp_path / "events.jsonl"
    sink = JsonLines(path, per="event")

    play(sink, Token("Hel", id=7), Token("", id=2, special=True, raw="</s>"), finish)
    play(sink, "Bye", error=GenerationError("out of memory"))

    lines = _read(path)
    assert [line["type"] for line in lines] == ["token", "token", "finish", "result", "token", "result"]
    assert len({line["run"] for line in lines[:4]}) == 1
    assert lines[0]["run"] != lines[4]["run"]
    assert (lines[1]["id"], lines[1]["raw"]) == (2, "</s>")
    assert lines[-1]["outcome"] == "failed"


def test_an_event_is_in_the_file_at_once(tmp_path, request_, play):
    """A program that follows the file sees each token as it comes."""
    path = tmp_path / "events.jsonl"
    writer = JsonLines(path, per="event").open(request_)

    writer.write(Token("Hello"))

    assert _read(path)[0]["text"] == "Hello"
    writer.close(play(JsonLines(io.StringIO())))


def test_a_new_file_belongs_to_its_owner_alone(tmp_path, play):
    """Nobody else on the machine reads questions and answers."""
    path = tmp_path / "results.jsonl"

    play(JsonLines(path), "secret")

    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("file", [io.StringIO(), io.BytesIO()], ids=["text", "bytes"])
def test_an_open_file_gets_lines_and_stays_open(play, file):
    """A file of text or bytes is written to and left to its owner to close."""
    play(JsonLines(file), "Grüße\u2028")

    written = file.getvalue()
    assert json.loads(written)["text"] == "Grüße\u2028"
    assert len(written.splitlines()) == 1
    assert not file.closed


def test_each_line_is_one_write_and_a_flush(play):
    """Another program never sees half a line."""
    calls = []

    class File:
        def write(self, data):
            calls.append(data[-1:])

        def flush(self):
            calls.append("flushed")

    play(JsonLines(File(), per="event"), "a", "b")

    assert calls == [b"\n", "flushed"] * 4  # two tokens, the finish, the result


def test_runs_in_many_threads_share_a_file(tmp_path, play):
    """Lines of runs at the same time never mix."""
    path = tmp_path / "events.jsonl"
    sink = JsonLines(path, per="event")
    text = "x" * 5000
    threads = [threading.Thread(target=play, args=(sink, *[text] * 20)) for _ in range(8)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    lines = _read(path)
    assert len(lines) == 8 * 22
    assert all(line["text"] == text for line in lines if line["type"] == "token")


def test_an_unknown_unit_is_refused_at_construction():
    """A slip is found before anything is asked."""
    with pytest.raises(ConfigurationError, match="per 'token'"):
        JsonLines("results.jsonl", per="token")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")  # noqa: PTH110 - one look, no path to keep
@pytest.mark.parametrize("per", ["event", "result"])
def test_a_full_disk_raises_and_frees_the_file(request_, play, per):
    """The failure is the driver's to report, and no file stays open."""
    writer = JsonLines("/dev/full", per=per).open(request_)
    result = play(JsonLines(io.StringIO()), "Hello")
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - a count

    with pytest.raises(OSError, match="No space left"):
        writer.close(result)

    assert len(os.listdir("/proc/self/fd")) == before - 1  # noqa: PTH208 - a count
