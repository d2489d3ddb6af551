"""What arrived on one stream and when, and what all streams together come to."""

from __future__ import annotations

import statistics
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise

import attrs

from benchmarks.server.wire import END_MARK, TOKEN


class Arrivals:
    """One stream's bytes as they came."""

    __slots__ = ("_pieces", "_times", "closed")

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._times: list[int] = []
        self.closed = False

    def take(self, now: int, data: bytes) -> bool:
        """Note what came, at a time in nanoseconds; return whether it was the last."""
        self._times.append(now)
        self._pieces.append(data)
        self.closed = not data or data.endswith(b"\r\n0\r\n\r\n") or data == b"0\r\n\r\n"
        return self.closed

    def tokens(self) -> Iterator[tuple[int, int, int]]:
        """Yield the number of each token, and when it was sent and came, in microseconds."""
        ends = list(accumulate(map(len, self._pieces)))
        for match in TOKEN.finditer(b"".join(self._pieces)):
            yield int(match[1]), int(match[2]), self._times[bisect_left(ends, match.end())] // 1000

    def fault(self, numbers: Sequence[int], tokens: int, *, cleaned: bool) -> str | None:
        """Return what is wrong with a stream that should have so many tokens, in a few words."""
        body = b"".join(self._pieces)
        if not body.startswith(b"HTTP/1.1 200 "):
            return body.partition(b"\r\n")[0].decode("latin-1") or "closed without a response"
        if numbers != list(range(tokens)):
            return "ended early" if numbers == list(range(len(numbers))) else "tokens twice, missing or out of order"
        if not body.endswith(b"0\r\n\r\n"):
            return "no end of the body"
        return "not cleaned" if cleaned and END_MARK in body.partition(b'"generated_text":"')[0] else None


@attrs.frozen(kw_only=True)
class Figures:
    """What one run of the generator measured.

    Args:
        tokens: Tokens that arrived while it was measured.
        cpu: CPU time of the server for one of them, in microseconds.
        pace: Part of the tokens that should have arrived in that time.
        core: Share of one core that the server took.
        gaps: Time between two tokens of a stream, in milliseconds: median and 99th percentile.
        delay: From the sending of a token to its arrival, in milliseconds: median and 99th percentile; `None` where the
            server stamps none.
        memory: Growth of the server for one further stream, in KiB.
        full: Whether all streams were open all the time.
        failures: How many streams failed, by what was wrong.
    """

    tokens: int
    cpu: float
    pace: float
    core: float
    gaps: tuple[float, float]
    delay: tuple[float, float] | None
    memory: float
    full: bool
    failures: dict[str, int]


def figures(
    streams: Sequence[Arrivals],
    window: tuple[float, float],
    *,
    tokens: int | None,
    cleaned: bool,
    cpu: float,
    memory: float,
    full: bool,
    rate: float,
) -> Figures:
    """Return what the streams come to.

    Args:
        streams: All of them.
        window: When measuring began and ended, in seconds.
        tokens: The length of each answer; `None` if they were left before their end.
        cleaned: See `Load`.
        cpu: CPU time of the server in the window, in seconds.
        memory: See `Figures`.
        full: See `Figures`.
        rate: Tokens a second that should arrive of all streams.
    """
    began, ended = (int(seconds * 1e6) for seconds in window)
    gaps: list[int] = []
    delays: list[int] = []
    failures: Counter[str] = Counter()
    for stream in streams:
        found = list(stream.tokens())
        measured = [(sent, came) for _, sent, came in found if began <= came < ended]
        gaps += (later - earlier for (_, earlier), (_, later) in pairwise(measured))
        delays += (came - sent for sent, came in measured)
        stamped = any(sent for _, sent, _ in found)
        fault = None
        if tokens is not None:
            fault = stream.fault([number for number, _, _ in found], tokens, cleaned=cleaned)
        elif stream.closed or not found:
            fault = "closed before its end"
        if fault is not None:
            failures[fault] += 1
    return Figures(
        tokens=len(delays),
        cpu=cpu / max(1, len(delays)) * 1e6,
        pace=len(delays) / max(1e-9, rate * (window[1] - window[0])),
        core=cpu / max(1e-9, window[1] - window[0]),
        gaps=_percentiles(gaps),
        delay=_percentiles(delays) if stamped else None,
        memory=memory / 1024,
        full=full,
        failures=dict(failures),
    )


def _percentiles(microseconds: Sequence[int]) -> tuple[float, float]:
    if len(microseconds) < 2:
        return 0.0, 0.0
    cuts = statistics.quantiles(microseconds, n=100)
    return cuts[49] / 1000, cuts[98] / 1000
