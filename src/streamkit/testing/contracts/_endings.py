"""The ways a run can end, for parts that are told of it."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

from streamkit.errors import StreamkitError
from streamkit.result import RunResult
from streamkit.run import Run

Ending: TypeAlias = Literal["completed", "aborted", "failed"]
ENDINGS: Final[tuple[Ending, ...]] = ("completed", "aborted", "failed")


def settled(run: Run, ending: Ending) -> RunResult:
    """Settle a run in one of the ways."""
    if ending == "completed":
        return run.complete()
    return run.abort() if ending == "aborted" else run.fail(StreamkitError("the test ends it"))


def halved(text: str) -> bool:
    """Tell whether a text has half a character in it, which no encoding can store."""
    return any("\ud800" <= character <= "\udfff" for character in text)
