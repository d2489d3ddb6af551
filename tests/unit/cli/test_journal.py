"""The file of answers: what is read from it, and that nothing is damaged in it."""

import json
import os
import subprocess
import sys

import pytest

from streamkit.cli.journal import Journal
from streamkit.errors import ConfigurationError, SinkError
from streamkit.events import Finish
from streamkit.testing.leaks import open_descriptors


@pytest.fixture
def path(tmp_path):
    """Return where the file is."""
    return tmp_path / "answers.jsonl"


@pytest.fixture
def completed(ended):
    """Return a result."""
    return ended("Lis", "bon", finish=Finish(reason="eos_token")).complete()


def test_a_line_has_the_id_the_question_and_the_result(path, completed):
    """And the file is its owner's alone."""
    with Journal(path) as journal:
        assert journal.done == set()
        journal.add("a", {"prompt": "Where?"}, completed)
    line = json.loads(path.read_text(encoding="utf-8"))
    assert (line["id"], line["prompt"], line["text"], line["outcome"]) == ("a", "Where?", "Lisbon", "completed")
    assert path.stat().st_mode & 0o777 == 0o600


def test_what_is_completed_is_done(path, ended, completed):
    """Failed rows are not, whatever their ids; a text that looks like a number is none."""
    with Journal(path) as journal:
        for name in (1, "2", None):
            journal.add(name, {}, completed)
        journal.add(3, {}, ended().fail(LookupError()))
        journal.add(4, {}, ended().abort())
    with Journal(path) as journal:
        assert journal.done == {1, "2"}


@pytest.mark.parametrize("kept", [1, 5, 6, 7, 50, -1])
def test_a_torn_line_is_cut_off(path, completed, kept):
    """Wherever it was torn, also right before its line end."""
    with Journal(path) as journal:
        journal.add(1, {}, completed)
        journal.add(2, {}, completed)
    first, second = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(first + second[:kept])
    with Journal(path) as journal:
        assert journal.done == {1}
        assert path.read_bytes() == first
        journal.add(3, {}, completed)
    assert [json.loads(line)["id"] for line in path.read_bytes().splitlines()] == [1, 3]


@pytest.mark.parametrize(
    ("content", "number"),
    [("my notes", 1), ('{"id":1,"outcome":"completed"}\nmy notes', 2), ('"a prompt"\n', 1), ('{"id":1}\n', 1)],
)
def test_a_file_of_something_else_is_left_alone(path, content, number):
    """Somebody may have mistaken one name for another."""
    path.write_text(content)
    with pytest.raises(ConfigurationError, match=f"line {number} of .* is not an answer of a batch"):
        Journal(path)
    assert path.read_text() == content


def test_what_is_no_file_is_refused(tmp_path):
    """What is done could not be read from it."""
    with pytest.raises(ConfigurationError, match="is no file"):
        Journal(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ConfigurationError, match="is no file"):
        Journal(tmp_path / "pipe")
    with pytest.raises(ConfigurationError, match="cannot be written: No such file or directory"):
        Journal(tmp_path / "nowhere" / "answers.jsonl")


def test_one_at_a_time(path):
    """The second one is refused, until the first has ended."""
    with Journal(path), pytest.raises(ConfigurationError, match="another process is writing"):
        Journal(path)
    with Journal(path):
        pass


def test_it_leaves_no_descriptor_behind(path):
    """Neither when it is refused."""
    before = open_descriptors()
    with Journal(path), pytest.raises(ConfigurationError):
        Journal(path)
    path.write_text("my notes")
    with pytest.raises(ConfigurationError):
        Journal(path)
    assert open_descriptors() == before


def test_a_full_disk_leaves_whole_lines(path):
    """What could not be written whole is taken back, and the message says what to do."""
    code = (
        "import resource, signal, sys\n"
        "from pathlib import Path\n"
        "from streamkit.cli.journal import Journal\n"
        "from streamkit.errors import ConfigurationError, SinkError\n"
        "from streamkit.many import unasked\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "with Journal(Path(sys.argv[1])) as journal:\n"
        "    for number in range(10):\n"
        "        journal.add(number, {}, unasked(ConfigurationError('x')))\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=False)  # noqa: S603 - our own code
    assert SinkError.__name__ in done.stderr
    assert "make room, and run the same command again" in done.stderr
    written = path.read_bytes()
    assert 0 < len(written) <= 1000
    assert [json.loads(line)["id"] for line in written.splitlines()] == [*range(written.count(b"\n"))]
    assert written.endswith(b"\n")
