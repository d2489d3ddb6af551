"""Rows 34 and 36: sinks and observers that fail while an answer comes over a real connection."""

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from streamkit import Callback, Collect, Console, JsonLines, SinkError, TextFile
from streamkit.testing.faults import endless

TRUTH = "one two three four five"
FULL = Path("/dev/full")
full_disk = pytest.mark.skipif(not FULL.exists(), reason="there is no /dev/full")


@full_disk
@pytest.mark.parametrize("kind", ["text file", "JSON lines", "JSON results", "console"])
def test_a_full_disk_fails_the_run_and_closes_the_connection(ask, play, kind):
    """Row 34: by default; the other sinks are told how it ended, and have all that came."""
    server, endpoint = play(gate=True)
    server.release(9)
    collect = Collect()
    with FULL.open("w", encoding="utf-8") as full:
        sink = {
            "text file": TextFile(FULL, mode="append"),
            "JSON lines": JsonLines(FULL, per="event"),
            "JSON results": JsonLines(FULL),
            "console": Console(file=full),
        }[kind]
        outcome = ask(endpoint, collect, sink, truth=TRUTH)
        full_closed_quietly(full)
    assert type(outcome.error) is SinkError
    assert type(outcome.error.__cause__) is OSError
    assert collect.results[0].outcome == ("completed" if kind == "JSON results" else "failed")
    assert TRUTH.startswith(collect.texts[0])
    assert len(collect.runs) == 1


def full_closed_quietly(file):
    """Close a file whose buffer cannot be written."""
    try:
        file.close()
    except OSError:
        assert file.closed


@full_disk
def test_a_full_disk_of_an_isolated_sink_is_logged_and_no_more(ask, play, caplog):
    """Row 34: once, though it is neither written nor closed; the run goes on, and the others get everything."""
    _, endpoint = play()
    collect = Collect()
    outcome = ask(endpoint, JsonLines(FULL, per="event", isolated=True), collect)
    assert (outcome.text, outcome.error) == (TRUTH, None)
    assert collect.texts == (TRUTH,)
    (logged,) = [record.message for record in caplog.records if "the run goes on without it" in record.message]
    assert "could not be written" in logged


def test_json_lines_never_end_in_half_a_line(tmp_path, play):
    """Row 34: a file that may not grow any further (RLIMIT_FSIZE) has whole lines only."""
    server, _ = play()
    path = tmp_path / "lines"
    code = (
        "import resource, signal, sys\n"
        "from streamkit import Endpoint, JsonLines, Pipeline\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (300, 300))\n"
        "source = Endpoint(sys.argv[1], api='tgi', token=False)\n"
        "Pipeline(source, sinks=[JsonLines(sys.argv[2], per='event')]).run('Hi')\n"
    )
    done = subprocess.run(  # noqa: S603 - this interpreter and our own code
        [sys.executable, "-c", code, server.url, str(path)], capture_output=True, text=True, check=False
    )
    assert "SinkError" in done.stderr
    written = path.read_bytes()
    assert 0 < len(written) <= 300
    assert written.endswith(b"\n")
    assert all(json.loads(line)["type"] == "token" for line in written.splitlines())
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 300


def test_json_lines_survive_being_killed_at_any_moment(tmp_path, play):
    """Row 35: every line is whole, as the next run cuts off what was torn."""
    server, _ = play(endless())
    path = tmp_path / "lines"
    code = (
        "import sys\n"
        "from streamkit import Endpoint, JsonLines, Pipeline\n"
        "source = Endpoint(sys.argv[1], api='tgi', token=False)\n"
        "Pipeline(source, sinks=[JsonLines(sys.argv[2], per='event')]).run('Hi')\n"
    )
    for _ in range(5):
        size = path.stat().st_size if path.exists() else 0
        with subprocess.Popen([sys.executable, "-c", code, server.url, str(path)]) as process:  # noqa: S603 - as above
            while not path.exists() or path.stat().st_size < size + 5000:
                os.sched_yield()
            process.kill()
    with path.open("ab") as file:
        file.write(b'{"type":"token","te')  # what a kill inside of a write would leave
    _, good = play()
    (good | JsonLines(path, per="event")).run("Hi")
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert lines[-1]["type"] == "result"


@pytest.mark.parametrize("name", ["on_start", "on_token", "on_text", "on_completion"])
def test_a_hook_that_raises_is_named_and_the_connection_closed(ask, play, name):
    """Row 36: the error is its own, and says whose it is."""
    server, endpoint = play()

    def bug():
        raise LookupError("a bug")

    outcome = ask(endpoint, callbacks=[{name: bug}], truth=TRUTH)
    assert type(outcome.error) is LookupError
    assert name in outcome.error.__notes__[0]
    assert outcome.finals == [outcome.result]
    assert all(request.done.wait(1) for request in server.requests)


@pytest.mark.parametrize("name", ["on_final", "on_abort"])
def test_an_observer_of_the_end_changes_nothing(ask, play, name):
    """Row 36: what it raises is logged."""
    _, endpoint = play()

    def bug():
        raise LookupError("a bug")

    outcome = ask(endpoint, callbacks=[{name: bug}], body=(lambda _: True) if name == "on_abort" else None)
    assert outcome.error is None
    assert outcome.result.outcome == ("aborted" if name == "on_abort" else "completed")


def test_a_sink_that_raises_leaves_the_others_whole(ask, play):
    """Row 34: what came before it is in them, and how the run ended."""
    _, endpoint = play()
    collect = Collect()

    def bug(text):
        if text == " three":
            raise LookupError("a bug")

    outcome = ask(endpoint, collect, Callback(bug), truth=TRUTH)
    assert type(outcome.error) is SinkError
    assert collect.texts == ("one two three",)
    assert collect.results[0].outcome == "failed"
