"""What a gateway counts, in Prometheus' text format (version 0.0.4); written by hand, as three kinds of line are all.

Labels have few values: pipelines of the configuration, routes of the table, outcomes and statuses. Nothing that a
client sends becomes one.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import Final

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

_FIRST: Final = (0.005, 0.01, 0.02, 0.04, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, 30.0)
_GAPS: Final = (0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5)
_WHOLE: Final = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 40.0, 80.0, 160.0, 320.0)
_ADDED: Final = (0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 1.0)


class Histogram:
    """Durations of one pipeline, in seconds.

    Args:
        bounds: Upper bounds of the buckets, rising.
    """

    __slots__ = ("_bounds", "_counts", "_sum")

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0

    def observe(self, seconds: float) -> None:
        """Take one duration; called in the server's one thread."""
        self._counts[bisect_left(self._bounds, seconds)] += 1
        self._sum += seconds

    def lines(self, name: str, labels: str) -> Iterator[str]:
        """Yield its lines."""
        total = 0
        for bound, count in zip((*map(str, self._bounds), "+Inf"), self._counts, strict=True):
            total += count
            yield f'{name}_bucket{{{labels},le="{bound}"}} {total}'
        yield f"{name}_sum{{{labels}}} {self._sum:.6f}"
        yield f"{name}_count{{{labels}}} {total}"


class PipelineMetrics:
    """What is measured of one pipeline's answers."""

    __slots__ = ("active", "added", "duration", "first_token", "gaps", "outcomes", "tokens")

    def __init__(self) -> None:
        self.active = 0
        self.tokens = 0
        self.outcomes: dict[tuple[str, str], int] = {}
        self.first_token = Histogram(_FIRST)
        self.gaps = Histogram(_GAPS)
        self.duration = Histogram(_WHOLE)
        self.added = Histogram(_ADDED)

    def end(self, route: str, outcome: str) -> None:
        """Count an answer that has ended."""
        self.outcomes[route, outcome] = self.outcomes.get((route, outcome), 0) + 1


class Metrics:
    """All that a gateway counts.

    Args:
        pipelines: The names of its pipelines.
    """

    def __init__(self, pipelines: Sequence[str]) -> None:
        self.pipelines = {name: PipelineMetrics() for name in pipelines}
        self._refused: dict[tuple[str, int], int] = {}

    def refuse(self, route: str, status: int) -> None:
        """Count a request that was refused before its pipeline ran."""
        self._refused[route, status] = self._refused.get((route, status), 0) + 1

    def text(self) -> str:
        """Return everything in Prometheus' text format."""
        return "\n".join([*self._lines(), ""])

    def _lines(self) -> Iterator[str]:
        each = {f'pipeline="{name}"': metrics for name, metrics in self.pipelines.items()}
        yield from _head("streamkit_streams_active", "gauge", "Answers being generated.")
        yield from (f"streamkit_streams_active{{{labels}}} {one.active}" for labels, one in each.items())
        yield from _head("streamkit_tokens_total", "counter", "Tokens read from the models.")
        yield from (f"streamkit_tokens_total{{{labels}}} {one.tokens}" for labels, one in each.items())
        yield from _head("streamkit_answers_total", "counter", "Answers that have ended, by how.")
        for labels, one in each.items():
            for (route, outcome), count in one.outcomes.items():
                yield f'streamkit_answers_total{{{labels},route="{route}",outcome="{outcome}"}} {count}'
        yield from _head("streamkit_refusals_total", "counter", "Requests refused before a pipeline ran.")
        for (route, status), count in self._refused.items():
            yield f'streamkit_refusals_total{{route="{route}",status="{status}"}} {count}'
        for name, field, meaning in (
            ("time_to_first_token_seconds", "first_token", "From the request to the model's first token."),
            ("inter_token_seconds", "gaps", "Between two arrivals of tokens from the model."),
            ("answer_duration_seconds", "duration", "From the request to the end of the answer."),
            ("added_latency_seconds", "added", "From the arrival of tokens until their bytes were ready."),
        ):
            yield from _head(f"streamkit_{name}", "histogram", meaning)
            for labels, one in each.items():
                histogram: Histogram = getattr(one, field)
                yield from histogram.lines(f"streamkit_{name}", labels)


def _head(name: str, kind: str, meaning: str) -> tuple[str, str]:
    return f"# HELP {name} {meaning}", f"# TYPE {name} {kind}"
