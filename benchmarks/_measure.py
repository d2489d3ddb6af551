"""Measuring on a machine that others use too: CPU time, interleaved rounds, medians, and ratios within one run."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Mapping

import attrs


def cpu(job: Callable[[], object]) -> float:
    """Return the CPU time of a call, in seconds."""
    gc.collect()
    start = time.process_time()
    job()
    return time.process_time() - start


def interleaved(jobs: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, float]:
    """Run jobs in turn, A B C A B C, and return the median of what each returned; the first round warms up."""
    taken: dict[str, list[float]] = {name: [] for name in jobs}
    for number in range(rounds + 1):
        for name, job in jobs.items():
            value = job()
            if number:
                taken[name].append(value)
    return {name: statistics.median(values) for name, values in taken.items()}


@attrs.frozen(kw_only=True)
class Row:
    """One comparison.

    Args:
        what: What was measured.
        ours: streamkit's figure.
        reference: The figure it is held against; `None` if the target is a bound of its own.
        unit: The unit of both.
        target: A bound of `ours / reference`, or of `ours` without a reference; `None` for a figure without one.
        above: Whether the bound is a least value and not a greatest.
        inverse: Whether the ratio is `reference / ours`.
    """

    what: str
    ours: float
    reference: float | None = None
    unit: str = "µs/token"
    target: float | None = None
    above: bool = False
    inverse: bool = False

    @property
    def ratio(self) -> float | None:
        """How the two figures stand to each other."""
        if self.reference is None:
            return None
        return self.reference / self.ours if self.inverse else self.ours / self.reference

    @property
    def verdict(self) -> str:
        """Whether the target is met."""
        if self.target is None:
            return ""
        value = self.ours if self.ratio is None else self.ratio
        return "met" if (value >= self.target if self.above else value <= self.target) else "NOT met"


def show(title: str, *rows: Row | str) -> None:
    """Print a table; a string is a line of its own, for what could not be measured."""
    print(f"\n{title}")
    print(f"{'what':<50} {'streamkit':>10} {'reference':>10}  {'unit':<12} {'ratio':>8} {'target':>8}  verdict")
    for row in rows:
        if isinstance(row, str):
            print(row)
            continue
        reference = "" if row.reference is None else f"{row.reference:.2f}"
        ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
        target = "" if row.target is None else f"{'≥' if row.above else '≤'} {row.target:g}"
        print(
            f"{row.what:<50} {row.ours:>10.2f} {reference:>10}  {row.unit:<12} {ratio:>8} {target:>8}  {row.verdict}",
            flush=True,
        )
