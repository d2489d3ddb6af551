"""Keep runs in memory, for tests and notebooks."""

from __future__ import annotations

import attrs

from streamkit.events import Event
from streamkit.protocols import Writer
from streamkit.request import Request
from streamkit.result import RunResult


@attrs.frozen
class Collected:
    """One run that has ended.

    Args:
        request: The question, as the transforms had prepared it.
        events: What left the chain, in order; the `Finish` last if the answer got that far.
        result: How it ended.
    """

    request: Request
    events: tuple[Event, ...]
    result: RunResult


@attrs.frozen(kw_only=True, eq=False)
class Collect:
    """Keeps every run that has ended, in the order of their ends; safe to share and to read from any thread.

    Memory grows with each run: this is for tests, notebooks and short scripts.

    Args:
        isolated: Whether a failure would be logged only; collecting itself cannot fail.
    """

    isolated: bool = False
    _runs: list[Collected] = attrs.field(factory=list, init=False, repr=False)

    def open(self, request: Request) -> Writer:
        """Return the writer of a new run."""
        return _CollectWriter(request, self._runs)

    @property
    def runs(self) -> tuple[Collected, ...]:
        """The runs that have ended so far."""
        return tuple(self._runs)

    @property
    def results(self) -> tuple[RunResult, ...]:
        """How each of them ended."""
        return tuple(run.result for run in self._runs)

    @property
    def texts(self) -> tuple[str, ...]:
        """The text of each, also of those that failed or were left early."""
        return tuple(run.result.text for run in self._runs)


class _CollectWriter:
    __slots__ = ("_events", "_request", "_runs")

    def __init__(self, request: Request, runs: list[Collected]) -> None:
        self._request = request
        self._runs = runs
        self._events: list[Event] = []

    def write(self, event: Event) -> None:
        self._events.append(event)

    def close(self, result: RunResult) -> None:
        self._runs.append(Collected(self._request, tuple(self._events), result))
