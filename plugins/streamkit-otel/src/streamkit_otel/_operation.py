"""One observed run, from its span's start to its end."""

from __future__ import annotations

import logging
import time
from array import array
from collections.abc import Callable
from itertools import pairwise

from opentelemetry.trace import Span, Status, StatusCode, set_span_in_context
from streamkit import RunResult, StreamTimeoutError, TruncatedStreamError

from streamkit_otel import _attributes, _content
from streamkit_otel._attributes import Attributes
from streamkit_otel._instruments import Instruments

logger = logging.getLogger("streamkit.otel")


class Operation:
    """The span of one run, and when its tokens arrived.

    Args:
        span: The span, started just now.
        target: The attributes that measurements share with it.
        instruments: Where measurements are recorded.
        capture_content: Whether the answer and the messages of errors are put on the span.
        measure_chunks: Whether the time from each token to the next is recorded.

    Attributes:
        arrived: Takes the time at which a token arrived, in seconds of `time.perf_counter`.
    """

    def __init__(
        self,
        span: Span,
        target: Attributes,
        instruments: Instruments,
        *,
        capture_content: bool,
        measure_chunks: bool,
    ) -> None:
        self._ended = False
        self._span = span
        self._target = target
        self._arrivals = array("d")
        self.arrived = self._arrivals.append
        self._instruments = instruments
        self._capture_content = capture_content
        self._measure_chunks = measure_chunks
        self._started = time.perf_counter()
        self._started_at = time.time_ns()
        instruments.active.add(1)

    def __del__(self) -> None:
        """End the span of a run that nobody ended: an event loop that is closed ends no asynchronous run."""
        self.end(None)

    def end(self, result: RunResult | None) -> None:
        """End the span and record what was measured, once; a failure is logged.

        Args:
            result: How the run ended; `None` if nobody knows.
        """
        if self._ended:
            return
        self._ended = True
        now = time.perf_counter()
        completed = result is not None and result.outcome == "completed" and self._arrivals
        seconds = (self._arrivals[-1] if completed else now) - self._started
        _try(lambda: self._describe(result))
        _try(lambda: self._span.end(self._started_at + int(seconds * 1e9)))
        _try(lambda: self._measure(result, seconds))

    def _describe(self, result: RunResult | None) -> None:
        span = self._span
        if not span.is_recording():
            return
        if self._arrivals:
            span.set_attribute("gen_ai.response.time_to_first_chunk", self._arrivals[0] - self._started)
        if result is None:
            return
        if result.finish_reason is not None:
            span.set_attribute("gen_ai.response.finish_reasons", (result.finish_reason,))
        for kind, count in _usage(result):
            span.set_attribute(f"gen_ai.usage.{kind}_tokens", count)
        if self._capture_content:
            span.set_attribute("gen_ai.output.messages", _content.answered(result))
        if result.error is not None:
            span.set_attribute("error.type", _attributes.error_type(result.error))
            # An engine's message may quote the question.
            span.set_status(Status(StatusCode.ERROR, str(result.error) if self._capture_content else None))

    def _measure(self, result: RunResult | None, seconds: float) -> None:
        instruments, target, arrivals = self._instruments, self._target, self._arrivals
        context = set_span_in_context(self._span)  # so that an exemplar leads to the span
        instruments.active.add(-1)
        instruments.ends.add(1, {"reason": _reason(result)}, context)
        error = result.error if result else None
        attributes = target if error is None else {**target, "error.type": _attributes.error_type(error)}
        instruments.duration.record(seconds, attributes, context)
        if arrivals:
            instruments.first_chunk.record(arrivals[0] - self._started, attributes, context)
        for before, after in pairwise(arrivals if self._measure_chunks else ()):
            instruments.output_chunk.record(after - before, attributes, context)
        for kind, count in _usage(result):
            instruments.tokens.record(count, {**target, "gen_ai.token.type": kind}, context)


def _usage(result: RunResult | None) -> list[tuple[str, int]]:
    """Return the token counts that the engine reported; none is guessed."""
    if result is None or result.usage is None:
        return []
    counts = (("input", result.usage.prompt_tokens), ("output", result.usage.completion_tokens))
    return [(kind, count) for kind, count in counts if count is not None]


def _reason(result: RunResult | None) -> str:
    if result is None or result.outcome == "aborted":
        return "cancelled"
    if isinstance(result.error, TruncatedStreamError):
        return "cut"
    if isinstance(result.error, StreamTimeoutError):
        return "timeout"
    return "error" if result.outcome == "failed" else "finished"


def _try(record: Callable[[], None]) -> None:
    try:
        record()
    except Exception:
        logger.exception("what was observed of a run is lost in part")
