"""Keep events or results in a file of JSON lines."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, Literal

import attrs

from streamkit.errors import ConfigurationError
from streamkit.events import Event
from streamkit.files import append_line, open_for_lines
from streamkit.protocols import Writer
from streamkit.request import Request
from streamkit.result import RunResult
from streamkit.sinks.records import encode_object, encode_result, event_name, question_of


def _path_or_file(given: str | os.PathLike[str] | IO[Any]) -> Path | IO[Any]:
    return Path(given) if isinstance(given, str | os.PathLike) else given


def _known(_: object, __: object, per: str) -> None:
    if per not in {"event", "result"}:
        raise ConfigurationError(f'JSON lines are written per "event" or per "result", not per {per!r}')


@attrs.frozen
class JsonLines:
    """Adds one JSON object on one line for each run, or for each event, to the end of a file.

    1. A line goes out whole, by one write, as soon as it is known; runs at the same time may share a file.
    2. A line that does not fit on the disk is taken back, and one that a killed process left unfinished is cut off
       when the file is opened next: every line is whole.
    3. No line contains a character that any reader takes for a line end, U+2028 for instance; it is escaped.

    Per result, a line has the fields of `RunResult` and the `prompt` or `messages`. Per event, a line has `run`, which
    tells runs in one file apart, `type` (`token`, `tool_call_delta`, `finish` or `attempt`) and the fields of the
    event; the last line of a run, whatever happened to it, has the type `result` and the fields of `RunResult`. Errors
    are written as `{"type": ..., "message": ...}`.

    Args:
        target: A path, or an open file of text or bytes, which is left open. A file that is created can be read by
            its owner only.
        per: `"result"` or `"event"`.
        isolated: Whether the run goes on, with a log entry, when writing fails.

    Raises:
        ConfigurationError: `per` is something else.
    """

    target: Path | IO[Any] = attrs.field(converter=_path_or_file)
    per: Literal["event", "result"] = attrs.field(default="result", kw_only=True, validator=_known)
    isolated: bool = attrs.field(default=False, kw_only=True)

    def open(self, request: Request) -> Writer:
        """Open the file for a new run.

        Raises:
            OSError: The file cannot be opened.
        """
        lines = _FileLines(self.target) if isinstance(self.target, Path) else _StreamLines(self.target)
        return _EventWriter(lines) if self.per == "event" else _ResultWriter(lines, request)


class _FileLines:
    __slots__ = ("_descriptor",)

    def __init__(self, path: Path) -> None:
        self._descriptor = open_for_lines(path)

    def add(self, line: bytes) -> None:
        append_line(self._descriptor, line)

    def close(self) -> None:
        os.close(self._descriptor)


class _StreamLines:
    __slots__ = ("_file", "_write")

    def __init__(self, file: IO[Any]) -> None:
        self._file = file
        # Text files have an encoding, also those that wrap another (`tempfile`); files of bytes have none.
        self._write: Callable[[bytes], Any] = (
            (lambda line: file.write(line.decode())) if hasattr(file, "encoding") else file.write
        )

    def add(self, line: bytes) -> None:
        self._write(line)
        self._file.flush()

    def close(self) -> None:
        pass


class _ResultWriter:
    __slots__ = ("_lines", "_request")

    def __init__(self, lines: _FileLines | _StreamLines, request: Request) -> None:
        self._lines = lines
        self._request = request

    def write(self, event: Event) -> None:
        pass

    def close(self, result: RunResult) -> None:
        try:
            self._lines.add(encode_result(result, **question_of(self._request)))
        finally:
            self._lines.close()


class _EventWriter:
    __slots__ = ("_lines", "_run")

    def __init__(self, lines: _FileLines | _StreamLines) -> None:
        self._lines = lines
        self._run = secrets.token_hex(6)

    def write(self, event: Event) -> None:
        self._lines.add(encode_object(event, run=self._run, type=event_name(event)) + b"\n")

    def close(self, result: RunResult) -> None:
        try:
            self._lines.add(encode_result(result, run=self._run, type="result"))
        finally:
            self._lines.close()
