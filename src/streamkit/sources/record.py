"""Keep the bytes of answers, to play them again."""

from __future__ import annotations

import logging
import os
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator
from contextlib import aclosing, asynccontextmanager, closing, contextmanager
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, Final
from weakref import WeakKeyDictionary

import attrs

from streamkit.errors import ConfigurationError
from streamkit.events import Finish
from streamkit.files import open_private
from streamkit.protocols import AsyncSource, Batch, Composable, Source
from streamkit.request import Hangup, Request
from streamkit.sources._recording import End, Recording

MAX_BYTES: Final = 64 * 1024 * 1024
"""Default bound of a recording, in bytes."""
NUMBER: Final = "{n}"

logger = logging.getLogger("streamkit")


def _at_least_a_kilobyte(_: object, __: object, value: Any) -> None:
    if not isinstance(value, int) or value < 1024:
        raise ConfigurationError(f"max_bytes is {value!r}: give a whole number of bytes from 1024")


@attrs.frozen
class Record(Composable):
    """A source whose answers are kept in files, byte by byte and with their timing; `Replay` plays them.

    1. Each run has a file of its own, which its owner alone can read. An existing file is never touched: the run is
       refused before anything is asked. `{n}` in the path becomes the first number for which there is no file.
    2. Neither the question nor a header is in the file, and a token that the server echoes is masked.
    3. Under `Retry` and `Fallback`, or around them, the file has the last try.
    4. A run that brought no bytes leaves no file, and a warning in the log if it was complete: the source has none
       (an iterator), or the server sent its whole answer at once.
    5. A recording that reaches `max_bytes` ends there, with a warning in the log, and the run goes on. One that cannot
       be written (a full disk) fails the run with `SinkError`.

    Args:
        source: The source.
        path: The file; its directory must exist.
        max_bytes: Bound of the file, in bytes.

    Raises:
        ConfigurationError: The bound is too small.
    """

    source: Source | AsyncSource
    path: Path = attrs.field(converter=Path)
    max_bytes: int = attrs.field(default=MAX_BYTES, validator=_at_least_a_kilobyte, kw_only=True)
    _numbers: Iterator[int] = attrs.field(factory=partial(count, 1), init=False, repr=False, eq=False)
    _files: WeakKeyDictionary[Hangup, Path] = attrs.field(
        factory=WeakKeyDictionary, init=False, repr=False, eq=False
    )  # another try of the same run has the same `Hangup`

    @property
    def made_of(self) -> tuple[Source | AsyncSource, ...]:
        """The source."""
        return (self.source,)

    @contextmanager
    def open(self, request: Request) -> Iterator[Iterator[Batch]]:
        """Ask, and record the answer; see `Source.open`."""
        with (
            closing(self._tape(request)) as tape,
            self.source.open(attrs.evolve(request, tap=tape.recording)) as batches,  # type: ignore[union-attr]
            closing(tape.follow(batches)) as followed,
        ):
            yield followed

    @asynccontextmanager
    async def aopen(self, request: Request) -> AsyncIterator[AsyncIterator[Batch]]:
        """Ask, and record the answer; see `AsyncSource.aopen`."""
        with closing(self._tape(request)) as tape:
            async with (
                self.source.aopen(attrs.evolve(request, tap=tape.recording)) as batches,  # type: ignore[union-attr]
                aclosing(tape.afollow(batches)) as followed,
            ):
                yield followed

    def _tape(self, request: Request) -> _Tape:
        path = self._files.get(request.hangup)
        if path is None:
            path, descriptor = self._create()
            self._files[request.hangup] = path
        else:
            descriptor = _open(path, os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0))
        return _Tape(path, Recording(descriptor, str(path), self.max_bytes))

    def _create(self) -> tuple[Path, int]:
        while True:
            path = Path(str(self.path).replace(NUMBER, str(next(self._numbers))))
            try:
                return path, _open(path, os.O_EXCL)
            except FileExistsError:
                if path == self.path:
                    raise ConfigurationError(
                        f"the recording {str(path)!r} exists, and each run needs a file of its own: choose another "
                        f"name, or write {NUMBER} into it for a number"
                    ) from None


def _open(path: Path, flags: int) -> int:
    try:
        return open_private(path, flags | os.O_APPEND)
    except FileExistsError:
        raise
    except OSError as error:
        raise ConfigurationError(f"the recording {str(path)!r} cannot be made: {error.strerror}") from error


class _Tape:
    """The recording of one try, and how it ends."""

    __slots__ = ("_end", "_path", "recording")

    def __init__(self, path: Path, recording: Recording) -> None:
        self._path = path
        self._end: End = "left"
        self.recording = recording

    def follow(self, batches: Iterator[Batch]) -> Generator[Batch, None, None]:
        """Hand the batches on, and see how they end."""
        try:
            for batch in batches:
                self._see(batch)
                yield batch
                self._check()
        except Exception:
            self._end = "broken"
            raise
        self._end = "complete"

    async def afollow(self, batches: AsyncIterator[Batch]) -> AsyncGenerator[Batch, None]:
        """Hand the batches on, and see how they end; the asynchronous twin of `follow`."""
        try:
            async for batch in batches:
                self._see(batch)
                yield batch
                self._check()
        except Exception:
            self._end = "broken"
            raise
        self._end = "complete"

    def _see(self, batch: Batch) -> None:
        if batch and type(batch[-1]) is Finish:  # a run asks for nothing more
            self._end = "complete"

    def _check(self) -> None:
        if self.recording.error is not None:
            raise self.recording.error

    def close(self) -> None:
        """End the recording, or remove the file of one that never began.

        Raises:
            SinkError: The last of a complete answer could not be written.
        """
        self.recording.close(self._end)
        if self._end == "complete":
            self._check()
        if self._end == "left" and self.recording.error is not None:
            logger.warning("%s", self.recording.error)  # nothing may come between a consumer and its own exception
        if self.recording.full:
            logger.warning("the recording %s is full, and the rest of the answer is not in it", self._path)
        elif not self.recording.started:
            self._path.unlink(missing_ok=True)
            if self._end == "complete":
                logger.warning("there is no recording %s: the source showed no bytes of its answer", self._path)
