"""Show the answer on a terminal, as it is written."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TextIO

import attrs

from streamkit.errors import ConfigurationError
from streamkit.events import Event, Token
from streamkit.protocols import Writer
from streamkit.request import Request
from streamkit.result import RunResult
from streamkit.sinks.terminal import neutralise, write_encodable


def _names(channels: str | Iterable[str]) -> tuple[str, ...]:
    return (channels,) if isinstance(channels, str) else tuple(channels)


@attrs.frozen(kw_only=True)
class Console:
    """Writes the text of the answer to stdout, or to another text file, and flushes after each piece.

    A model's output is not to be trusted with a terminal: it could move the cursor, rename the window or fill the
    clipboard. Control characters other than newline and tab are therefore shown as visible symbols (`␛` for ESC), and
    characters that the file's encoding lacks as question marks.

    1. Holds nothing back: each piece of text is written and flushed as it comes.
    2. Text of another channel starts on a line of its own.
    3. At the end, an unfinished line is ended if the file is a terminal, so that the prompt of the shell does not
       stick to the answer. A pipe or a file gets the text alone.

    Args:
        file: Where to write; `None` for what `sys.stdout` is when a run starts.
        channels: The channels to show, such as `("reasoning", "text")`.
        raw: Whether to write the text as it is. A terminal is then refused.
        isolated: Whether the run goes on, with a log entry, when writing fails.
    """

    file: TextIO | None = None
    channels: tuple[str, ...] = attrs.field(default=("text",), converter=_names)
    raw: bool = False
    isolated: bool = False

    def open(self, request: Request) -> Writer:  # noqa: ARG002 - the shape of a sink
        """Return the writer of a new run.

        Raises:
            ConfigurationError: Raw text would go to a terminal.
        """
        file = sys.stdout if self.file is None else self.file
        if self.raw and file.isatty():
            raise ConfigurationError(
                "raw model output could control this terminal: leave out raw=True, or write to a file or a pipe"
            )
        return _ConsoleWriter(file, frozenset(self.channels), raw=self.raw)


class _ConsoleWriter:
    __slots__ = ("_channel", "_channels", "_file", "_line_ended", "_raw")

    def __init__(self, file: TextIO, channels: frozenset[str], *, raw: bool) -> None:
        self._file = file
        self._channels = channels
        self._raw = raw
        self._channel: str | None = None
        self._line_ended = True

    def write(self, event: Event) -> None:
        if type(event) is not Token or not event.text or event.channel not in self._channels:
            return
        text = event.text if self._raw else neutralise(event.text)
        if event.channel != self._channel:
            self._channel = event.channel
            if not self._line_ended:
                text = "\n" + text
        # Noted before it is written: Ctrl-C may come between the two, and `close` still has a line to end then.
        self._line_ended = text.endswith("\n")
        try:
            write_encodable(self._file, text)
            self._file.flush()
        except OSError:
            self._line_ended = True  # `close` has nothing to add to a file that cannot be written to
            raise

    def close(self, result: RunResult) -> None:  # noqa: ARG002 - the shape of a writer
        if not self._line_ended and self._file.isatty():
            self._file.write("\n")
            self._file.flush()
