"""What every test needs: in-memory exporters, and a model that says what it is told to."""

from __future__ import annotations

from contextlib import asynccontextmanager, contextmanager

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from streamkit import Finish, Pipeline, Token, Usage

from streamkit_otel import Telemetry

ANSWER = (
    Token("Walk", 1),
    Token(" the", 2),
    Token(" walls", 3),
    Finish(reason="eos_token", usage=Usage(prompt_tokens=9, completion_tokens=3)),
)


class Model:
    """A source with the attributes by which a target is known; it yields events, or raises one that is an error."""

    def __init__(self, *events, model="owner/name", url="https://my-endpoint.example/v1", **attributes):
        self.events = events
        self.model = model
        self.url = url
        vars(self).update(attributes)

    def _batches(self):
        for event in self.events:
            if isinstance(event, BaseException):
                raise event
            yield [event]

    @contextmanager
    def open(self, request):
        """Yield one batch for each event."""
        yield self._batches()

    @asynccontextmanager
    async def aopen(self, request):
        """Yield one batch for each event."""

        async def batches():
            for batch in self._batches():
                yield batch

        yield batches()


class Observed:
    """A plugin whose spans and measurements can be read back."""

    def __init__(self):
        self.exporter = InMemorySpanExporter()
        self.reader = InMemoryMetricReader()
        self.tracers = TracerProvider()
        self.tracers.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.meters = MeterProvider([self.reader])

    def telemetry(self, **options):
        """Return the plugin with these exporters."""
        return Telemetry(tracer_provider=self.tracers, meter_provider=self.meters, **options)

    def pipeline(self, *events, capture_content=False, **attributes):
        """Return a pipeline that the plugin observes; the events, or an answer of three tokens."""
        source = Model(*(events or ANSWER), **attributes)
        telemetry = self.telemetry(capture_content=capture_content)
        return Pipeline(source, callbacks=[telemetry])

    @property
    def spans(self):
        """The spans that have ended, in order of their ends."""
        return self.exporter.get_finished_spans()

    @property
    def span(self):
        """The only span."""
        (span,) = self.spans
        return span

    def points(self):
        """Return the data points by instrument, as a list each."""
        data = self.reader.get_metrics_data()
        if data is None:
            return {}
        metrics = [metric for r in data.resource_metrics for scope in r.scope_metrics for metric in scope.metrics]
        return {metric.name: list(metric.data.data_points) for metric in metrics}

    def ends(self):
        """Return how often runs ended, by reason."""
        return {point.attributes["reason"]: point.value for point in self.points()["streamkit.stream.end"]}


@pytest.fixture
def observed():
    """Give each test exporters of its own."""
    return Observed()


@pytest.fixture(params=["sync", "async"])
def run(request):
    """Run a pipeline to its end with either driver."""

    async def synchronous(pipeline, question, **parameters):
        return pipeline.run(question, **parameters)

    async def asynchronous(pipeline, question, **parameters):
        return await pipeline.arun(question, **parameters)

    return synchronous if request.param == "sync" else asynchronous
