"""The line on stderr for a try that failed, so that nobody wonders what is waited for."""

from __future__ import annotations

import time

import rich_click as click

from streamkit.events import Attempt


class Tries:
    """A callback that says which try failed, how long all have taken, and when the next one is due."""

    def __init__(self) -> None:
        self._started = time.monotonic()

    def on_start(self) -> None:
        """Start the clock."""
        self._started = time.monotonic()

    def on_retry(self, attempt: Attempt) -> None:
        """Write the line."""
        from streamkit.sinks.terminal import neutralise

        elapsed = time.monotonic() - self._started
        line = f"try {attempt.number} failed after {elapsed:.0f} s, the next is in {attempt.wait:.0f} s: "
        click.secho(neutralise(line + " ".join(attempt.error.split())), err=True, dim=True)
