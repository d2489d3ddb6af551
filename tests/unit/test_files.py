"""Files of sinks: whole lines, whatever happens."""

import multiprocessing
import os
import resource
import signal

import pytest

from streamkit.files import append_line, open_for_lines, write_all

LIMIT = 100


def _write_beyond_a_limit(path, write):
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (LIMIT, LIMIT))
    descriptor = open_for_lines(path)
    append_line(descriptor, b"x" * 59 + b"\n")
    try:
        write(descriptor, b"y" * 59 + b"\n")
    except OSError:
        os._exit(7)
    os._exit(0)


@pytest.mark.parametrize(("write", "left"), [(append_line, 60), (write_all, LIMIT)])
def test_a_line_that_does_not_fit_is_taken_back(tmp_path, write, left):
    """Where the file may grow no further, a line leaves nothing behind; plain text leaves what fitted."""
    path = tmp_path / "lines.jsonl"
    child = multiprocessing.get_context("fork").Process(target=_write_beyond_a_limit, args=(path, write))

    child.start()
    child.join()

    assert child.exitcode == 7
    assert path.stat().st_size == left


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b'{"whole":1}\n{"tor', b'{"whole":1}\n'),
        (b'{"tor', b""),
        (b'{"whole":1}\n{', b'{"whole":1}\n'),
        (b'{"whole":1}\n{"torn":"' + b"x" * (3 * 2**20), b'{"whole":1}\n'),
        (b'{"whole":1}\n{"torn":"\xc3', b'{"whole":1}\n'),
        (b'{"whole":1}\n{"whole":2}', b'{"whole":1}\n{"whole":2}\n'),
        (b"a text of somebody else's", b"a text of somebody else's\n"),
    ],
)
def test_the_last_line_is_whole_before_the_next(tmp_path, before, after):
    """What a killed process left unfinished is cut off; what is whole, or no line of ours, is only ended."""
    path = tmp_path / "lines.jsonl"
    path.write_bytes(before)

    descriptor = open_for_lines(path)
    append_line(descriptor, b'{"next":0}\n')
    os.close(descriptor)

    assert path.read_bytes() == after + b'{"next":0}\n'


@pytest.mark.parametrize("content", [b"", b'{"whole":1}\n'])
def test_whole_lines_are_left_as_they_are(tmp_path, content):
    """An empty file, or one that ends with a line end, gets nothing on opening."""
    path = tmp_path / "lines.jsonl"
    path.write_bytes(content)

    os.close(open_for_lines(path))

    assert path.read_bytes() == content


def test_a_named_pipe_takes_lines(tmp_path):
    """Something that cannot be read back is only written to."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)

    descriptor = open_for_lines(path)
    append_line(descriptor, b"{}\n")

    assert os.read(reader, 10) == b"{}\n"
    os.close(descriptor)
    os.close(reader)
