"""The rows of `streamkit batch`: what is asked, read from JSON lines as its turn comes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, Final, TypeAlias

import attrs
import msgspec

from streamkit.errors import ConfigurationError
from streamkit.request import Message, Request

LONGEST: Final = 16 * 1024 * 1024
"""How long a row may be, in bytes."""

Id: TypeAlias = str | int


@attrs.frozen(kw_only=True)
class Row(Request):
    """A row that can be asked.

    Args:
        id: Its own id, or the number of its line, from 1.
    """

    id: Id


@attrs.frozen(kw_only=True)
class BrokenRow:
    """A row that cannot be asked.

    Args:
        id: As of `Row`.
        error: Why not.
    """

    id: Id
    error: ConfigurationError


class _Object(msgspec.Struct):
    id: Id | None = None
    prompt: str | None = None
    messages: list[dict[str, Any]] | None = None
    parameters: dict[str, Any] = msgspec.field(default_factory=dict)


_decoder = msgspec.json.Decoder(str | _Object)


def read_rows(file: BinaryIO, asked: Callable[[str], str | list[Message]]) -> Iterator[Row | BrokenRow]:
    """Read rows one by one; blank lines are none.

    Args:
        file: JSON lines: a prompt each, or an object with `prompt` or `messages`, and maybe `id` and `parameters`.
        asked: What becomes of a prompt.
    """
    for number, line in enumerate(_lines(file), 1):
        if line.strip():
            yield _row(line, number, asked)


def _lines(file: BinaryIO) -> Iterator[bytes]:
    """Yield lines; of one that is too long, so much that it can be seen."""
    while line := file.readline(LONGEST + 1):
        rest = line
        while len(rest) > LONGEST and not rest.endswith(b"\n"):
            rest = file.readline(LONGEST + 1)
        yield line


def _row(line: bytes, number: int, asked: Callable[[str], str | list[Message]]) -> Row | BrokenRow:
    name: Id = number
    try:
        if len(line) > LONGEST:
            raise ConfigurationError(f"it is longer than {LONGEST} bytes")  # noqa: TRY301 - told as every mistake is
        read = _decoder.decode(line)
        read = _Object(prompt=read) if isinstance(read, str) else read
        name = number if read.id is None else read.id
        question: dict[str, Any] = {"prompt": read.prompt, "messages": read.messages}
        if read.prompt is not None and read.messages is None:
            said = asked(read.prompt)
            question = {"prompt": said} if isinstance(said, str) else {"messages": said}
        return Row(id=name, parameters=read.parameters, **question)
    except (msgspec.DecodeError, UnicodeDecodeError, ConfigurationError) as error:
        return BrokenRow(id=name, error=ConfigurationError(f"line {number} is no row: {error}"))
