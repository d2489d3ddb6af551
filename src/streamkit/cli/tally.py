"""How far a batch has come, and whether it is of any use to go on."""

from __future__ import annotations

import time
from typing import Final

import attrs

from streamkit.cli.closing_line import tokens_of
from streamkit.cli.rows import Row
from streamkit.errors import AuthenticationError, ConfigurationError, ConnectError, SourceError
from streamkit.result import RunResult

ALIKE: Final = 10
"""After so many rows in a row that failed for a reason that is not theirs, no further one is asked."""

_NOT_ITS_FAULT: Final = (404, 429, 502, 503)
"""Statuses that say nothing about the row."""


@attrs.define
class Tally:
    """The rows so far."""

    done: int = 0
    skipped: int = 0
    failed: int = 0
    given_up: bool = False
    _tokens: int = 0
    _alike: int = 0
    _started: float = attrs.field(factory=time.monotonic)

    def add(self, row: Row, result: RunResult) -> None:
        """Count an answer.

        Raises:
            StreamkitError: It is the answer's own, where every other row would fail like this one.
        """
        self._tokens += tokens_of(result)
        if result.outcome == "completed":
            self.done += 1
        else:
            self.failed += 1
        self._alike = self._alike + 1 if _any_row_would(row, result.error) else 0
        if result.error is not None and (isinstance(result.error, AuthenticationError) or self._alike >= ALIKE):
            self.given_up = True
            raise result.error

    def __str__(self) -> str:
        seconds = time.monotonic() - self._started
        rate = f" · {self._tokens / seconds:.1f} tokens/s" if self._tokens and seconds > 0 else ""
        end = " · given up" if self.given_up else ""
        return f"{self.done:,} done · {self.skipped:,} skipped · {self.failed:,} failed{rate}{end}"


def _any_row_would(row: Row, error: Exception | None) -> bool:
    """Tell whether a row failed for a reason that is not its own."""
    if isinstance(error, ConfigurationError):
        return not row.parameters
    return isinstance(error, ConnectError) or (isinstance(error, SourceError) and error.status in _NOT_ITS_FAULT)
