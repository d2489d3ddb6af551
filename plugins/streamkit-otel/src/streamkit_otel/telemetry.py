"""The plugin: one span and a handful of measurements for each run."""

from __future__ import annotations

import logging
import os
from time import perf_counter
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from opentelemetry.metrics import get_meter
from opentelemetry.trace import SpanKind, get_tracer
from streamkit import Request, Run, RunResult, hookimpl

from streamkit_otel import _attributes, _content
from streamkit_otel._instruments import Instruments
from streamkit_otel._operation import Operation

if TYPE_CHECKING:
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import TracerProvider

CAPTURE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
"""The environment variable by which the instrumentations of OpenTelemetry itself turn on content."""

logger = logging.getLogger("streamkit.otel")


class Telemetry:
    """Observes runs by OpenTelemetry's conventions for generative AI.

    1. A run that is iterated has one span, child of the span that is current where it is first iterated. It ends
       once: with the run in whatever way, or when a run that was never ended is forgotten.
    2. Times are monotonic. The span and the duration of a completed run reach to its last token.
    3. What a provider, processor or exporter raises is logged and harms no run.
    4. Costs less than 1 µs for each token; what is measured is recorded when the run ends.

    Args:
        tracer_provider: Where spans go; by default the global one.
        meter_provider: Where measurements go; by default the global one.
        capture_content: Whether questions, answers and the messages of errors become attributes of the span. They may
            hold personal data.
        measure_chunks: Whether `gen_ai.client.operation.time_per_output_chunk` is recorded, which costs more than all
            the rest together.
    """

    def __init__(
        self,
        *,
        tracer_provider: TracerProvider | None = None,
        meter_provider: MeterProvider | None = None,
        capture_content: bool = False,
        measure_chunks: bool = True,
    ) -> None:
        self._tracer = get_tracer("streamkit_otel", tracer_provider=tracer_provider)
        self._instruments = Instruments(get_meter("streamkit_otel", meter_provider=meter_provider))
        self._capture_content = capture_content
        self._measure_chunks = measure_chunks
        self._operations: WeakKeyDictionary[Run, Operation] = WeakKeyDictionary()

    @hookimpl
    def on_start(self, run: Run, request: Request) -> None:
        """Start the span."""
        try:
            target = _attributes.of_target(request, run.source)
            attributes = target | _attributes.of_source(run.source) | _attributes.of_request(request)
            if self._capture_content:
                attributes["gen_ai.input.messages"] = _content.asked(request)
            span = self._tracer.start_span(_attributes.span_name(target), kind=SpanKind.CLIENT, attributes=attributes)
            self._operations[run] = Operation(
                span,
                target,
                self._instruments,
                capture_content=self._capture_content,
                measure_chunks=self._measure_chunks,
            )
        except Exception:
            logger.exception("a run goes unobserved")

    @hookimpl
    def on_token(self, run: Run) -> None:
        """Note when a token arrived."""
        operation = self._operations.get(run)
        if operation is not None:
            operation.arrived(perf_counter())

    @hookimpl
    def on_final(self, run: Run, result: RunResult) -> None:
        """End the span and record what was measured."""
        operation = self._operations.pop(run, None)
        if operation is not None:
            operation.end(result)


plugin = Telemetry(capture_content=os.environ.get(CAPTURE, "").strip().lower() == "true")
"""What the entry point names: the global providers, and content only where the environment asks for it."""
