"""Files that can be read by their owner alone, written without a buffer."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

if sys.platform != "win32":
    import fcntl


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
    """Open a file to add lines at its end; a line that was left unfinished gets its line end first.

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
    with _locked(descriptor):
        if os.lseek(descriptor, 0, os.SEEK_END):
            os.lseek(descriptor, -1, os.SEEK_END)
            if os.read(descriptor, 1) != b"\n":
                write_all(descriptor, b"\n")


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
