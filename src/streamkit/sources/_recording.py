"""Recordings: the bytes of an answer with their timing, as JSON lines.

The first line is `{"kind": "streamkit-recording", "version": 1, "format": ...}`. Each further one is a chunk,
`{"at": seconds, "data": text}`, or with `base64` in place of `data` where the bytes are no UTF-8. The last one says
how it ended, `{"at": seconds, "end": ...}`. Times are counted from the beginning of the answer.
"""

from __future__ import annotations

import io
import os
import time
from collections.abc import Iterator
from typing import Final, Literal, TypeAlias

import msgspec

from streamkit.errors import ConfigurationError, FormatError, SinkError
from streamkit.files import append_line
from streamkit.formats import FORMATS

End: TypeAlias = Literal["complete", "broken", "left", "full"]
"""How a recording ended: with the answer, because that broke off or was wrong, because the consumer had enough, or
because the recording had reached its bound."""

KIND: Final = "streamkit-recording"
VERSION: Final = 1
PIECE: Final = 64 * 1024
"""Most bytes of an answer on one line."""
MAX_LINE: Final = 1024 * 1024
"""Longest line that is read, in bytes: a piece of control characters, each of which JSON writes with six."""
END_ROOM: Final = 64
"""Bytes kept free for the last line."""

_MARK: Final = b'{"kind":"%b"' % KIND.encode()


class _Header(msgspec.Struct):
    kind: str
    version: int
    format: str | None


class _Line(msgspec.Struct, omit_defaults=True):
    at: float
    data: str | None = None
    base64: bytes | None = None
    end: End | None = None


_decode_line = msgspec.json.Decoder(_Line).decode


class Recording:
    """A recording that is being written: a `Tap`.

    1. Each chunk is written as it comes, by one system call: a process that is killed leaves whole lines, the last one
       excepted.
    2. An answer that begins anew (another try) replaces what there is.
    3. At its bound, or where it cannot be written, the recording ends and takes nothing more. Nothing is raised: the
       frames of a transport may hold a token that the server echoed.

    Args:
        descriptor: An open, empty file; closed by `close`.
        name: The file's name, for messages.
        max_bytes: Bound of the file, in bytes.

    Attributes:
        started: Whether an answer began.
        full: Whether the bound was reached.
        error: Why it could not be written.
    """

    __slots__ = ("_began", "_descriptor", "_max_bytes", "_name", "_size", "_stopped", "error", "full", "started")

    def __init__(self, descriptor: int, name: str, max_bytes: int) -> None:
        self._descriptor = descriptor
        self._name = name
        self._max_bytes = max_bytes
        self._size = 0
        self._began = 0.0
        self._stopped = False
        self.started = False
        self.full = False
        self.error: SinkError | None = None

    def start(self, answer_format: object) -> None:
        """An answer begins."""
        os.ftruncate(self._descriptor, 0)
        self._size = 0
        self._began = time.monotonic()
        self._stopped = self.full = False
        self.error = None
        self.started = True
        name = next((name for name, known in FORMATS.items() if type(known) is type(answer_format)), None)
        self._add(_Header(KIND, VERSION, name))

    def chunk(self, data: bytes) -> None:
        """Take bytes of the answer."""
        for start in range(0, len(data), PIECE):
            if self._stopped:
                return
            line = self._line(data[start : start + PIECE])
            if self._size + len(line) + END_ROOM > self._max_bytes:
                self._end("full")
                self.full = True
            else:
                self._write(line)

    def close(self, end: End) -> None:
        """Write how it ended, and close the file."""
        if self.started and not self._stopped:
            self._end(end)
        os.close(self._descriptor)

    def _line(self, data: bytes) -> bytes:
        at = self._now()
        try:
            line = _Line(at, data=data.decode())
        except UnicodeDecodeError:
            line = _Line(at, base64=data)
        return msgspec.json.encode(line) + b"\n"

    def _end(self, end: End) -> None:
        self._add(_Line(self._now(), end=end))
        self._stopped = True

    def _now(self) -> float:
        return round(time.monotonic() - self._began, 6)

    def _add(self, line: msgspec.Struct) -> None:
        self._write(msgspec.json.encode(line) + b"\n")

    def _write(self, line: bytes) -> None:
        try:
            append_line(self._descriptor, line)
        except OSError as error:
            self._stopped = True
            self.error = SinkError(f"the recording {self._name!r} could not be written to: {error.strerror}")
            self.error.__cause__ = error
        self._size += len(line)


class Recorded:
    """A recording that is being read.

    Args:
        file: The file, at its beginning.
        name: Its name, for messages.

    Attributes:
        format: The name of the format of its bytes; `None` for one that is not built in.
        at: The time of the line read last, in seconds.
        end: How it ended; `None` before the end, and after one that nobody wrote (the process was killed).

    Raises:
        ConfigurationError: Another version of streamkit made it.
        FormatError: It cannot be read.
    """

    __slots__ = ("_file", "_name", "_number", "at", "end", "format")

    def __init__(self, file: io.BufferedReader, name: str) -> None:
        self._file = file
        self._name = name
        self._number = 1
        self.at = 0.0
        self.end: End | None = None
        try:
            header = msgspec.json.decode(file.readline(MAX_LINE), type=_Header)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise self._unreadable(error) from None
        if header.version != VERSION:
            raise ConfigurationError(
                f"the recording {name} has version {header.version}, and this streamkit reads version {VERSION}"
            )
        self.format = header.format

    @staticmethod
    def recognises(file: io.BufferedReader) -> bool:
        """Tell whether a file is a recording, without moving on in it."""
        return file.peek(len(_MARK)).startswith(_MARK)

    def chunks(self) -> Iterator[bytes]:
        """Yield the chunks; at each of them, `at` is its time.

        Raises:
            FormatError: A line other than a torn last one cannot be read.
        """
        while line := self._file.readline(MAX_LINE):
            self._number += 1
            try:
                read = _decode_line(line)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                if not line.endswith(b"\n") and len(line) < MAX_LINE:
                    return
                raise self._unreadable(error) from None
            self.at = read.at
            if read.end is not None:
                self.end = read.end
                return
            yield (read.data or "").encode() if read.base64 is None else read.base64

    def _unreadable(self, error: Exception) -> FormatError:
        return FormatError(f"line {self._number} of the recording {self._name} cannot be read: {error}")
