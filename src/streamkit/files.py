"""Files that can be read by their owner alone, written without a buffer."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import msgspec

if sys.platform != "win32":
    import fcntl

_BLOCK: Final = 1024 * 1024
"""Bytes that are read at a time."""


def open_private(path: Path, flags: int, access: int = os.O_WRONLY) -> int:
    """Open a file, and create it for its owner alone: model output is nobody else's business.

    Args:
        path: The file; its directory must exist.
        flags: Flags of `os.open` besides the access.
        access: `os.O_WRONLY` or `os.O_RDWR`.

    Returns:
        A file descriptor.

    Raises:
        OSError: The file cannot be opened.
    """
    return os.open(path, access | os.O_CREAT | flags | getattr(os, "O_BINARY", 0), 0o600)


def write_all(descriptor: int, data: bytes) -> None:
    """Write bytes; on a disk that fills up, a part of them may stay.

    Raises:
        OSError: Not all of it could be written.
    """
    written = os.write(descriptor, data)
    while written < len(data):
        written += os.write(descriptor, data[written:])


def open_for_lines(path: Path) -> int:
    """Open a file to add lines of JSON at its end, once its last line has an end.

    An object that was never finished, which is what a killed process leaves, is cut off. Whatever else stands there is
    left as it is, and gets a line end.

    Args:
        path: A file, or something else that can be opened for writing, such as a named pipe.

    Returns:
        A file descriptor.

    Raises:
        OSError: The file cannot be opened.
    """
    regular = not path.exists() or path.is_file()
    descriptor = open_private(path, os.O_APPEND, os.O_RDWR if regular else os.O_WRONLY)
    if regular:
        try:
            _end_last_line(descriptor)
        except OSError:
            os.close(descriptor)
            raise
    return descriptor


def append_line(descriptor: int, line: bytes) -> None:
    """Add a line, usually by one system call: all of it or nothing.

    Raises:
        OSError: It could not be written whole; the part that was has been taken back, if nothing followed it.
    """
    done = 0
    with _locked(descriptor):
        while done < len(line):
            try:
                done += os.write(descriptor, line[done:])
            except OSError:
                if done:
                    _take_back(descriptor, done)
                raise


def _end_last_line(descriptor: int) -> None:
    """Cut off an object that was never finished; any other last line gets the line end that it lacks."""
    with _locked(descriptor):
        last = _last_line(descriptor)
        if last.startswith(b"{") and not _is_json(last):
            os.ftruncate(descriptor, os.lseek(descriptor, 0, os.SEEK_END) - len(last))
        elif last:
            write_all(descriptor, b"\n")


def _last_line(descriptor: int) -> bytes:
    """Return what stands behind the last line end."""
    line = b""
    start = os.lseek(descriptor, 0, os.SEEK_END)
    while start and b"\n" not in line:
        end, start = start, max(0, start - _BLOCK)
        os.lseek(descriptor, start, os.SEEK_SET)
        line = os.read(descriptor, end - start) + line
    return line.rpartition(b"\n")[2]


def _is_json(line: bytes) -> bool:
    try:
        msgspec.json.decode(line)
    except (ValueError, RecursionError):
        return False
    return True


@contextmanager
def _locked(descriptor: int) -> Iterator[None]:
    """Keep other writers of lines out: one that opens the file would take half of a long line for a torn one."""
    if sys.platform == "win32":
        yield
        return
    with suppress(OSError):  # some network file systems have no locks
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        yield
    finally:
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_UN)


def _take_back(descriptor: int, length: int) -> None:
    status = os.fstat(descriptor)
    if stat.S_ISREG(status.st_mode) and os.lseek(descriptor, 0, os.SEEK_CUR) == status.st_size:
        os.ftruncate(descriptor, status.st_size - length)
