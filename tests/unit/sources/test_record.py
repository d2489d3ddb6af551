"""Answers kept in files, and played again."""

import asyncio
import gc
import json
import logging
import os
import stat

import pytest

from streamkit import (
    ConfigurationError,
    Fallback,
    Pipeline,
    Record,
    Replay,
    Retry,
    SinkError,
    StopSequences,
    TruncatedStreamError,
    from_iterable,
)
from streamkit.errors import OverloadedError
from streamkit.protocols import Composable

TOKENS = b"".join(
    b'data: {"token":{"id":%d,"text":"%b","special":false},"generated_text":null}\n\n' % (number, text)
    for number, text in enumerate([b"one", b" two", b" three"])
)
END = b'data: {"token":{"id":9,"text":"!","special":false},"generated_text":"one two three!"}\n\n'
BUSY = b'data: {"error":"too many","error_type":"overloaded"}\n\n'
BODY = Replay(TOKENS + END, "tgi")
LINES = [{"kind": "streamkit-recording", "version": 1, "format": "tgi"}] + [
    {"at": 0.0, "data": event + "\n\n"} for event in TOKENS.decode().split("\n\n")[:-1]
]


def recording(*lines):
    """Return a recording."""
    return b"".join(json.dumps(line, separators=(",", ":")).encode() + b"\n" for line in lines)


CHUNKS = Replay(recording(*LINES, {"at": 0.0, "data": END.decode()}, {"at": 0.0, "end": "complete"}))


@pytest.fixture(params=["sync", "async"])
def run(request):
    """Return a function that runs a source to its end."""

    def run(source, *stages):
        pipeline = Pipeline(source) | stages
        return asyncio.run(pipeline.arun("Hi")) if request.param == "async" else pipeline.run("Hi")

    return run


@pytest.fixture
def path(tmp_path):
    """Return where the recording goes."""
    return tmp_path / "answer.jsonl"


class InTurn(Composable):
    """A source that plays something else each time it is asked."""

    def __init__(self, *sources):
        self._sources = iter(sources)

    def open(self, request):
        """Ask the next one."""
        return next(self._sources).open(request)

    def aopen(self, request):
        """Ask the next one."""
        return next(self._sources).aopen(request)


class Refusing(Composable):
    """A source that refuses before it shows anything."""

    def open(self, request):
        """Refuse."""
        raise OverloadedError("busy", transient=True, retry_after=0.0)

    def aopen(self, request):
        """Refuse."""
        return self.open(request)


def end(path):
    """Return how a recording ended."""
    return json.loads(path.read_bytes().splitlines()[-1])["end"]


def test_an_answer_is_recorded_and_plays_as_it_did(run, path):
    """Byte for byte, and its format is known."""
    first = run(Record(BODY, path))
    again = run(Replay(path))
    assert (first.text, first.outcome) == (again.text, again.outcome) == ("one two three!", "completed")
    assert json.loads(path.read_bytes().splitlines()[1])["data"].encode() == TOKENS + END
    assert end(path) == "complete"


def test_the_file_is_its_owners_alone(run, path):
    """An answer is nobody else's business."""
    run(Record(BODY, str(path)))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_an_existing_file_is_left_alone(run, path):
    """The run is refused before anything is asked."""
    path.write_text("precious")
    with pytest.raises(ConfigurationError, match=r"exists, and each run needs a file of its own.*\{n\}"):
        run(Record(Refusing(), path))
    assert path.read_text() == "precious"


def test_a_link_is_not_followed(run, path, tmp_path):
    """Whoever put it there does not say where the answer goes."""
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ConfigurationError, match="exists"):
        run(Record(BODY, path))
    assert not (tmp_path / "elsewhere").exists()


def test_a_directory_that_is_not_there_is_the_callers_mistake(run, tmp_path):
    """The message has the path."""
    with pytest.raises(ConfigurationError, match="nowhere/answer' cannot be made: No such file"):
        run(Record(BODY, tmp_path / "nowhere" / "answer"))


def test_several_runs_have_a_file_each(run, tmp_path):
    """With the first numbers that are free."""
    (tmp_path / "2.jsonl").write_text("precious")
    source = Record(BODY, tmp_path / "{n}.jsonl")
    for _ in range(3):
        run(source)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["1.jsonl", "2.jsonl", "3.jsonl", "4.jsonl"]
    assert (tmp_path / "2.jsonl").read_text() == "precious"
    assert run(Replay(tmp_path / "4.jsonl")).text == "one two three!"


def test_a_cut_answer_is_recorded_as_one(run, path):
    """And is truncated again when it is played."""
    with pytest.raises(TruncatedStreamError):
        run(Record(Replay(TOKENS, "tgi"), path))
    assert end(path) == "broken"
    with pytest.raises(TruncatedStreamError, match=r"^the stream ended without an event with `\w+`$") as caught:
        run(Replay(path))
    assert caught.value.result.text == "one two three"


def test_an_answer_that_the_pipeline_ended_is_left(run, path):
    """The same pipeline ends it in the same place; another one is told why there is no more."""
    assert run(Record(CHUNKS, path), StopSequences(" two")).text == "one"
    assert end(path) == "left"
    assert run(Replay(path), StopSequences(" two")).text == "one"
    with pytest.raises(TruncatedStreamError, match=r"answer\.jsonl ends there because its consumer had left"):
        run(Replay(path))


@pytest.mark.parametrize("outside", [True, False])
def test_of_several_tries_the_last_is_kept(run, path, outside):
    """Whichever of the two is inside the other."""
    busy_once = InTurn(Replay(BUSY, "tgi"), BODY)
    source = Record(Retry(busy_once), path) if outside else Retry(Record(busy_once, path))
    assert run(source).text == "one two three!"
    assert b"overloaded" not in path.read_bytes()
    assert run(Replay(path)).text == "one two three!"


def test_of_several_sources_each_may_have_a_recording(run, path, tmp_path):
    """The one that failed has its own, with the failure in it."""
    failed = tmp_path / "failed"
    assert run(Fallback(Record(Replay(BUSY, "tgi"), failed), Record(BODY, path))).text == "one two three!"
    assert (end(failed), end(path)) == ("broken", "complete")


def test_a_run_without_an_answer_leaves_no_file(run, path, caplog):
    """So that it can be run again."""
    with pytest.raises(OverloadedError):
        run(Record(Refusing(), path))
    assert not path.exists()
    assert not caplog.records
    run(Record(BODY, path))


def test_a_source_without_bytes_leaves_no_file_but_a_warning(run, path, caplog):
    """An iterator has tokens, and no bytes that came from a server."""
    assert run(Record(from_iterable(["Hi"]), path)).text == "Hi"
    assert not path.exists()
    assert "the source showed no bytes of its answer" in caplog.text


def test_a_full_recording_ends_and_the_run_goes_on(run, path, caplog):
    """With a warning, and with what fits."""
    many = Replay(TOKENS * 5000 + END, "tgi")
    assert run(Record(many, path, max_bytes=200_000)).tokens == 15_001
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "is full" in caplog.text
    assert path.stat().st_size <= 200_000
    with pytest.raises(TruncatedStreamError, match="ends there because it had reached its max_bytes"):
        run(Replay(path))


@pytest.mark.parametrize("max_bytes", [0, 1023, 1e9, "1 GiB", None])
def test_a_bound_that_is_none_is_refused(path, max_bytes):
    """A recording is always bounded."""
    with pytest.raises(ConfigurationError, match="give a whole number of bytes from 1024"):
        Record(BODY, path, max_bytes=max_bytes)


@pytest.mark.parametrize("mark", [b"two", b'"complete"'])
def test_a_disk_that_is_full_fails_the_run(run, path, monkeypatch, mark):
    """Be it the last line: what was to be kept was not."""

    def full(descriptor, data):
        if mark in data:
            raise OSError(28, os.strerror(28))
        return real(descriptor, data)

    real = os.write
    monkeypatch.setattr(os, "write", full)
    with pytest.raises(SinkError, match=r"answer\.jsonl' could not be written to: No space left on device"):
        run(Record(CHUNKS, path))


def test_recipes_are_values(path):
    """Files and numbers of runs are no part of them."""
    assert Record(BODY, path) == Record(BODY, str(path))
    assert hash(Record(BODY, path)) == hash(Record(BODY, path))
    assert repr(Record(BODY, path)) == f"Record(source={BODY!r}, path={path!r}, max_bytes=67108864)"


@pytest.mark.parametrize("leave", ["break", "error"])
async def test_leaving_early_ends_the_recording(path, leave):
    """In both drivers, whatever the reason, and no file stays open."""
    for asynchronous in (False, True):
        target = path.with_suffix(f".{asynchronous}")
        pipeline = Pipeline(Record(CHUNKS, target))
        try:
            if asynchronous:
                async with pipeline.astream("Hi") as stream:
                    async for _ in stream:
                        _leave(leave)
                        break
            else:
                with pipeline.stream("Hi") as stream:
                    for _ in stream:
                        _leave(leave)
                        break
        except ZeroDivisionError:
            pass
        assert stream.result.outcome == "aborted"
        assert end(target) == "left"
    gc.collect()


def test_a_consumer_that_leaves_is_told_of_a_full_disk_in_the_log(path, monkeypatch, caplog):
    """Its own exception, or its cancellation, is not replaced."""
    real = os.write

    def full(descriptor, data):
        if b'"left"' in data:
            raise OSError(28, os.strerror(28))
        return real(descriptor, data)

    monkeypatch.setattr(os, "write", full)
    with Pipeline(Record(CHUNKS, path)).stream("Hi") as stream:
        next(iter(stream))
    assert stream.result.outcome == "aborted"
    assert "could not be written to" in caplog.text


def _leave(how):
    if how == "error":
        raise ZeroDivisionError
