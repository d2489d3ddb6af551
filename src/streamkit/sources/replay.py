"""Bytes that a server once sent, read again."""

from __future__ import annotations

import io
import time
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator
from contextlib import aclosing, asynccontextmanager, closing, contextmanager
from pathlib import Path
from typing import Any, Final

import attrs

from streamkit.errors import ConfigurationError, TruncatedStreamError
from streamkit.formats import FORMATS
from streamkit.protocols import Batch, Composable, Format
from streamkit.request import Request, Tap
from streamkit.sources._pauses import apause, pause
from streamkit.sources._recording import End, Recorded

CHUNK: Final = 64 * 1024
"""How much is read at a time, in bytes."""
LONGEST_PAUSE: Final = 3600.0
"""What a recording may make a run wait at a time, in seconds."""

_ENDS: Final[dict[End | None, str]] = {
    "left": "its consumer had left",
    "full": "it had reached its max_bytes",
    None: "nobody wrote its end: the recording process was killed",
}


def _format(given: str | Format | None) -> Format | None:
    if isinstance(given, str):
        if given not in FORMATS:
            raise ConfigurationError(f"unknown format {given!r}: it is one of {', '.join(map(repr, FORMATS))}")
        return FORMATS[given]
    return given


def _speed(_: object, __: object, value: Any) -> None:
    if value is not None and (not isinstance(value, int | float) or not 0 < value < float("inf")):
        raise ConfigurationError(f"speed is {value!r}: 1.0 is the original pace, 2.0 twice as fast, and None at once")


@attrs.frozen
class Replay(Composable):
    """A recording, or the bare body of a response: it reads as the live stream did, a cut one as a cut one.

    Args:
        body: What `Record` wrote, or the body: its bytes, or the path of a file with them.
        format: The format's name (`tgi`, `chat`, `completions`, `ollama`, `llamacpp`), or a `Format`. A recording
            knows its own.
        speed: How fast a recording is played: 1.0 for the original pace, 2.0 for twice as fast; `None` for at once, as
            a bare body always is.

    Raises:
        ConfigurationError: The format is unknown, or the speed is none.
    """

    body: bytes | str | Path = attrs.field(
        repr=lambda body: f"<{len(body)} bytes>" if isinstance(body, bytes) else repr(body)
    )
    format: Format | None = attrs.field(default=None, converter=_format)
    speed: float | None = attrs.field(default=None, validator=_speed, kw_only=True)

    @contextmanager
    def open(self, request: Request) -> Iterator[Iterator[Batch]]:
        """Play the recording; see `Source.open`."""
        with closing(self._batches(request)) as batches:
            yield batches

    @asynccontextmanager
    async def aopen(self, request: Request) -> AsyncIterator[AsyncIterator[Batch]]:
        """Play the recording; see `AsyncSource.aopen`."""
        async with aclosing(self._abatches(request)) as batches:
            yield batches

    def _batches(self, request: Request) -> Generator[Batch, None, None]:
        started = time.monotonic()
        with closing(self._played(request.tap)) as played:
            for at, batch in played:
                wait = self._wait(at, started)
                if wait > 0:
                    pause(request.hangup, wait)
                yield batch

    async def _abatches(self, request: Request) -> AsyncGenerator[Batch, None]:
        started = time.monotonic()
        with closing(self._played(request.tap)) as played:
            for at, batch in played:
                wait = self._wait(at, started)
                if wait > 0:
                    await apause(request.hangup, wait)
                yield batch

    def _wait(self, at: float, started: float) -> float:
        return 0.0 if self.speed is None else min(started + at / self.speed - time.monotonic(), LONGEST_PAUSE)

    def _played(self, tap: Tap | None) -> Generator[tuple[float, Batch], None, None]:
        """Yield batches with the times at which they are due, in seconds."""
        with closing(self._opened()) as file:
            body = Recorded(file, self._name) if Recorded.recognises(file) else _Bare(file)
            answer_format = self._format_of(body)
            decoder = answer_format.decoder()
            if tap is not None:
                tap.start(answer_format)
            for chunk in body.chunks():
                if tap is not None:
                    tap.chunk(chunk)
                yield body.at, decoder.feed(chunk)
                if decoder.error is not None:
                    raise decoder.error
            yield body.at, decoder.flush(clean=body.end == "complete")
        if isinstance(decoder.error, TruncatedStreamError) and body.end in _ENDS:
            raise TruncatedStreamError(f"{decoder.error}; {self._name} ends there because {_ENDS[body.end]}")
        if decoder.error is not None:
            raise decoder.error

    def _format_of(self, body: Recorded | _Bare) -> Format:
        answer_format = self.format or (FORMATS.get(body.format) if body.format else None)
        if answer_format is None:
            raise ConfigurationError(
                f"what format {self._name} has is not known: name its format, one of {', '.join(map(repr, FORMATS))}"
            )
        return answer_format

    @property
    def _name(self) -> str:
        return "the recording" if isinstance(self.body, bytes) else str(self.body)

    def _opened(self) -> io.BufferedReader:
        if isinstance(self.body, bytes):
            return io.BufferedReader(io.BytesIO(self.body))
        try:
            return Path(self.body).open("rb")
        except OSError as error:
            raise ConfigurationError(f"the recording {str(self.body)!r} cannot be read: {error.strerror}") from error


class _Bare:
    """A body without times, in the shape of a recording."""

    format = None
    at = 0.0
    end: End = "complete"

    def __init__(self, file: io.BufferedReader) -> None:
        self._file = file

    def chunks(self) -> Iterator[bytes]:
        while chunk := self._file.read(CHUNK):
            yield chunk
