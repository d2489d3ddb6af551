"""The file of answers of `streamkit batch`, which is also the record of what is done."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import TracebackType
from typing import Final, Literal, Self

import msgspec

from streamkit.cli.rows import Id
from streamkit.errors import ConfigurationError, SinkError
from streamkit.files import open_private, write_all
from streamkit.result import RunResult
from streamkit.sinks.records import encode_result

if sys.platform != "win32":
    import fcntl

_BEGINNING: Final = b'{"id":'
"""How each line begins."""


class _Line(msgspec.Struct):
    id: Id | None
    outcome: Literal["completed", "aborted", "failed"]


class Journal:
    """A file of JSON lines, one for each answer, written by one process at a time.

    1. A line is there whole as soon as its answer has ended, so a process that is killed loses what was under way.
    2. A line that a killed process left unfinished is cut off.
    3. A row is done once there is a line with its id that says `completed`.

    Args:
        path: The file; one that is created can be read by its owner only.

    Raises:
        ConfigurationError: The file cannot be opened, holds something else, or another process writes it.

    Attributes:
        done: The ids of the rows that are done when the file is opened.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        if path.exists() and not path.is_file():
            raise ConfigurationError(f"{path} is no file, and what is done must be read from it: give another --out")
        try:
            self._descriptor = open_private(path, os.O_APPEND, os.O_RDWR)
        except OSError as error:
            raise ConfigurationError(f"{path} cannot be written: {error.strerror}") from error
        try:
            self._claim()
            self.done = self._read()
        except BaseException:
            os.close(self._descriptor)
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        os.close(self._descriptor)

    def add(self, name: Id | None, question: dict[str, object], result: RunResult) -> None:
        """Add a line.

        Args:
            name: The row's id; `None` for a row whose id is another's.
            question: The members that say what was asked.
            result: How it ended.

        Raises:
            SinkError: It cannot be written; no part of it stays.
        """
        end = os.lseek(self._descriptor, 0, os.SEEK_END)
        try:
            write_all(self._descriptor, encode_result(result, id=name, **question))
        except OSError as error:
            os.ftruncate(self._descriptor, end)
            raise SinkError(
                f"{self._path} could not be written: {error.strerror}: make room, and run the same command again"
            ) from error

    def _claim(self) -> None:
        if sys.platform != "win32":
            try:
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise ConfigurationError(
                    f"another process is writing {self._path}: wait until it has ended, or give another --out"
                ) from None

    def _read(self) -> set[Id]:
        done: set[Id] = set()
        decoder, end = msgspec.json.Decoder(_Line), 0
        with open(self._descriptor, "rb", closefd=False) as file:
            for number, line in enumerate(file, 1):
                if line.endswith(b"\n"):
                    end += len(line)
                elif line.startswith(_BEGINNING) or _BEGINNING.startswith(line):
                    os.ftruncate(self._descriptor, end)
                    break
                try:
                    read = decoder.decode(line)
                except (msgspec.DecodeError, UnicodeDecodeError):
                    raise ConfigurationError(
                        f"line {number} of {self._path} is not an answer of a batch: give another --out"
                    ) from None
                if read.outcome == "completed" and read.id is not None:
                    done.add(read.id)
        return done
