"""The file format of recordings: what is written is what is read."""

import io
import json
import os

import pytest

from streamkit.errors import ConfigurationError, FormatError, SinkError
from streamkit.formats import OpenAIChat, Tgi
from streamkit.sources import _recording
from streamkit.sources._recording import Recorded, Recording

HEADER = b'{"kind":"streamkit-recording","version":1,"format":"tgi"}\n'


@pytest.fixture
def record(tmp_path, monkeypatch):
    """Return a function that makes a recording, whose clock ticks once a second, and a function that reads its file."""
    clock = iter(range(1000))
    monkeypatch.setattr(_recording.time, "monotonic", lambda: float(next(clock)))
    path = tmp_path / "recording"

    def record(max_bytes=10_000):
        return Recording(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), str(path), max_bytes)

    return record, path.read_bytes


def read(data):
    """Return the chunks of a recording with their times, and what was read of it."""
    recorded = Recorded(io.BufferedReader(io.BytesIO(data)), "rec")
    return [(recorded.at, chunk) for chunk in recorded.chunks()], recorded


def lines(data):
    """Return the lines as objects."""
    return [json.loads(line) for line in data.splitlines()]


def test_what_is_written_is_what_is_read(record):
    """Text as text, what is no UTF-8 as base64, with times, format and end."""
    record, content = record
    recording = record()
    recording.start(Tgi())
    recording.chunk("é\u2028\n".encode())
    recording.chunk(b"\xff\x00")
    recording.close("complete")

    assert lines(content()) == [
        {"kind": "streamkit-recording", "version": 1, "format": "tgi"},
        {"at": 1.0, "data": "é\u2028\n"},
        {"at": 2.0, "base64": "/wA="},
        {"at": 3.0, "end": "complete"},
    ]
    chunks, recorded = read(content())
    assert chunks == [(1.0, "é\u2028\n".encode()), (2.0, b"\xff\x00")]
    assert (recorded.format, recorded.end, recorded.at) == ("tgi", "complete", 3.0)


def test_a_format_of_somebody_elses_has_no_name(record):
    """Whoever plays it must say what it is; settings of a format of ours do not matter."""
    record, content = record
    recording = record()
    recording.start(object())
    recording.start(OpenAIChat(1))
    recording.close("left")
    assert lines(content())[0]["format"] == "chat"
    recording = record()
    recording.start(object())
    recording.close("left")
    assert read(content())[1].format is None


def test_another_try_replaces_what_there_is(record):
    """Its times begin anew."""
    record, content = record
    recording = record()
    for text in (b"first", b"second"):
        recording.start(Tgi())
        recording.chunk(text)
    recording.close("broken")
    assert read(content())[0] == [(1.0, b"second")]


def test_an_answer_that_never_began_is_not_written(record):
    """Not even its end."""
    record, content = record
    recording = record()
    recording.close("complete")
    assert (content(), recording.started) == (b"", False)


@pytest.mark.parametrize("max_bytes", [1024, 2000])
def test_a_recording_ends_at_its_bound(record, max_bytes):
    """What fits is whole, the end says why, and the file is no larger."""
    record, content = record
    recording = record(max_bytes)
    recording.start(Tgi())
    for _ in range(100):
        recording.chunk(b"x" * 50)
    recording.close("complete")
    chunks, recorded = read(content())
    assert recording.full
    assert recorded.end == "full"
    assert lines(content())[-1]["end"] == "full"
    assert max_bytes - 150 < len(content()) <= max_bytes
    assert {chunk for _, chunk in chunks} == {b"x" * 50}


def test_a_long_chunk_takes_several_lines(record):
    """So that a reader needs no more memory than for one of them, whatever the bytes are."""
    record, content = record
    recording = record(10_000_000)
    recording.start(Tgi())
    recording.chunk(b"\x01" * 200_000)
    recording.close("complete")
    assert b"".join(chunk for _, chunk in read(content())[0]) == b"\x01" * 200_000
    assert max(map(len, content().splitlines())) < _recording.MAX_LINE


def test_a_file_that_cannot_be_written_is_a_sink_error(monkeypatch, record):
    """Kept, not raised; and nothing more is tried."""
    record, content = record
    recording = record()
    recording.start(Tgi())

    def full(*_):
        tried.append(1)
        raise OSError(28, os.strerror(28))

    tried = []
    monkeypatch.setattr(os, "write", full)
    recording.chunk(b"x")
    recording.chunk(b"y")
    recording.close("broken")
    assert isinstance(recording.error, SinkError)
    assert "could not be written to: No space left" in str(recording.error)
    assert (tried, content()) == ([1], HEADER)


@pytest.mark.parametrize("cut", range(1, 22))
def test_a_torn_last_line_is_no_line(cut):
    """A process that was killed as it wrote leaves what came before."""
    whole = HEADER + b'{"at":1.0,"data":"one"}\n'
    chunks, recorded = read(whole + b'{"at":2.0,"data":"two"}\n'[:cut])
    assert (chunks, recorded.end) == ([(1.0, b"one")], None)


def test_a_line_without_its_line_end_is_read_if_it_is_whole():
    """An editor may have taken it away."""
    assert read(HEADER + b'{"at":1.0,"data":"one"}')[0] == [(1.0, b"one")]


def test_nothing_is_read_after_the_end():
    """What follows is not ours."""
    assert read(HEADER + b'{"at":1.0,"end":"left"}\nwhatever')[0] == []


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"{\n", "line 2 of the recording rec cannot be read"),
        (b'{"data":"x"}\n', "line 2 .*missing required field `at`"),
        (b'{"at":1,"data":5}\n', "line 2 .*Expected `str"),
        (b'{"at":1,"base64":"?"}\n', "line 2 .*base64"),
        (b'{"at":1,"end":"over"}\n', "line 2 .*Invalid enum value"),
        (b'{"at":1,"data":"' + b"x" * _recording.MAX_LINE, "line 2 "),
    ],
)
def test_a_damaged_line_is_named(line, message):
    """By its number."""
    with pytest.raises(FormatError, match=message):
        read(HEADER + line + b'{"at":1.0,"end":"left"}\n')


def test_a_recording_of_another_version_is_refused():
    """It may mean something else."""
    with pytest.raises(ConfigurationError, match="has version 2, and this streamkit reads version 1"):
        read(HEADER.replace(b"1", b"2"))


def test_a_recording_is_recognised_by_its_first_line():
    """A body is none, an object per line neither."""
    for data, expected in ((HEADER, True), (b"", False), (b'{"model":"m"}\n', False), (b"data: {}\n\n", False)):
        file = io.BufferedReader(io.BytesIO(data))
        assert Recorded.recognises(file) is expected
        assert file.read() == data
