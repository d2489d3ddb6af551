"""Keep the answer in a text file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal, TypeAlias

import attrs

from streamkit.errors import ConfigurationError
from streamkit.events import Event, Token
from streamkit.files import open_private, write_all
from streamkit.protocols import Writer
from streamkit.request import Request
from streamkit.result import RunResult
from streamkit.sinks._file_names import fields_of, file_of

Mode: TypeAlias = Literal["create", "replace", "append"]

_FLAGS = {"create": os.O_EXCL, "replace": os.O_TRUNC, "append": os.O_APPEND}
_NO_LINKS = getattr(os, "O_NOFOLLOW", 0)  # Windows has no such flag


def _readable(_: object, __: object, path: Path) -> None:
    fields_of(path)


def _known(_: object, __: object, mode: str) -> None:
    if mode not in _FLAGS:
        raise ConfigurationError(f"the mode of a text file is one of {', '.join(_FLAGS)}, not {mode!r}")


@attrs.frozen
class TextFile:
    """Writes the text of the answer to a file in UTF-8, each piece as it comes, and nothing else.

    The file is opened when a run starts, before anything is asked, and a new one can be read by its owner only.
    Nothing is buffered: what was written is there even if the process is killed.

    Runs at the same time need a file each, or their texts mix. Three fields in the path give every run its own:
    `{run}` is a random name, `{time}` the moment it starts in UTC (`20261231T235959Z`), `{prompt}` the beginning of
    the question, or of a conversation's last message, with a hyphen for whatever is no letter or digit. So a question
    cannot name a file elsewhere, and a path with fields is not followed through a symbolic link at its end.

    Args:
        path: The file; its directory must exist. `{{` stands for a brace.
        mode: What to do about an existing file: `"create"`, the default, refuses the run and leaves the file alone;
            `"replace"` empties it; `"append"` adds to its end.
        isolated: Whether the run goes on, with a log entry, when writing fails.

    Raises:
        ConfigurationError: There is no such mode, or no such field.
    """

    path: Path = attrs.field(converter=Path, validator=_readable)
    mode: Mode = attrs.field(default="create", validator=_known)
    isolated: bool = attrs.field(default=False, kw_only=True)

    def open(self, request: Request) -> Writer:
        """Open the file for a new run.

        Raises:
            OSError: The file cannot be opened, or exists and must not.
        """
        flags = _FLAGS[self.mode] | (_NO_LINKS if fields_of(self.path) else 0)
        try:
            descriptor = open_private(file_of(self.path, request), flags)
        except FileExistsError as error:
            error.add_note('use mode="append" or mode="replace" for a file that exists')
            raise
        return _TextFileWriter(descriptor)


class _TextFileWriter:
    __slots__ = ("_descriptor",)

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def write(self, event: Event) -> None:
        if type(event) is Token and event.text and event.channel == "text":
            # A lone surrogate has no bytes in UTF-8; it becomes a question mark.
            write_all(self._descriptor, event.text.encode("utf-8", "replace"))

    def close(self, result: RunResult) -> None:  # noqa: ARG002 - the shape of a writer
        os.close(self._descriptor)
