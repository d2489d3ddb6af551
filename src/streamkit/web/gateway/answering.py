"""An answer, from a question that may be asked to the end of its run: begun, bounded, kept, counted."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from functools import partial

import attrs

from streamkit.drivers.asynchronous import AsyncStream
from streamkit.errors import ConfigurationError
from streamkit.pipeline import Pipeline
from streamkit.protocols import Encoder
from streamkit.transforms import StopSequences
from streamkit.web.asgi import StreamResponse
from streamkit.web.gateway import resuming
from streamkit.web.gateway.addressed import Addressed
from streamkit.web.gateway.body import Receive, read_body
from streamkit.web.gateway.exchange import Exchange
from streamkit.web.gateway.measured import Measured
from streamkit.web.gateway.metrics import Metrics, PipelineMetrics
from streamkit.web.gateway.refusals import BusyError, RefusalError
from streamkit.web.gateway.routes import ANSWERS
from streamkit.web.gateway.settings import Configuration
from streamkit.web.gateway.slots import Slots
from streamkit.web.gateway.whole import WholeEncoder
from streamkit.web.resumable import ResumableRuns
from streamkit.web.resumable.asgi import respond


class Answers:
    """The answers of one gateway.

    Args:
        configuration: The settings and the pipelines.
        metrics: Where they are counted.
        runs: Those that outlive their requests; `None` where none does.

    Attributes:
        stopping: Whether no further ones are begun.
    """

    def __init__(self, configuration: Configuration, metrics: Metrics, runs: ResumableRuns | None) -> None:
        self.stopping = False
        self._default = configuration.default
        self._limits = configuration.settings.limits
        self._metrics = metrics.pipelines
        self._pipelines = {
            name: pipeline.evolve(source=Measured(pipeline.source, metrics.pipelines[name]))
            for name, pipeline in configuration.pipelines.items()
        }
        self._runs = runs
        self._running: set[AsyncStream] = set()
        self._slots = Slots(self._limits)

    async def answer(
        self, exchange: Exchange, receive: Receive, headers: Mapping[str, str], addressed: Addressed
    ) -> None:
        """Read a question, and answer it.

        Args:
            exchange: The request.
            receive: ASGI's.
            headers: The request's.
            addressed: A route that answers.

        Raises:
            RefusalError: It cannot be asked.
            BusyError: Not now.
            ClientGoneError: The client left before the question was there.
            Exception: The run failed before its first byte.
        """
        if self.stopping:
            raise BusyError("The gateway is being stopped.")
        with ExitStack() as held:
            held.enter_context(self._slots.taken(exchange.owner or ""))
            asked = ANSWERS[addressed.path].read(await read_body(receive, headers, self._limits), self._limits)
            name = exchange.pipeline = self._choose(addressed.pipeline or asked.model)
            shaped = asked.shape(_cut(self._pipelines[name], asked.stops))
            stream, encoder = shaped.astream(asked.question, **asked.parameters), asked.encoder(name)
            stream_id = resuming.id_of(asked, headers)
            if self._runs is None or stream_id is None or isinstance(encoder, WholeEncoder):
                await self._run(exchange, receive, stream, encoder)
                return
            started = await self._runs.start(
                resuming.key_of(exchange.owner, addressed.path, stream_id),
                stream,
                encoder,
                taken="replace" if asked.stream_id else "attach",
            )
            if started.run is None:
                await respond(started.reader, exchange.headers, receive, exchange.send)
                return
            exchange.outlived()
            self._metrics[name].active += 1
            started.run.add_done_callback(partial(self._outlived, exchange, stream, held.pop_all()))
            await respond(started.reader, exchange.headers, receive, exchange.send, check=partial(_check, stream))

    async def farewell(self) -> None:
        """End those that run."""
        for stream in tuple(self._running):
            await stream.aclose()
        if self._runs is not None:
            await self._runs.aclose()

    async def aclose(self, grace: float) -> None:
        """Let those that outlived their requests go on for so many seconds; nothing runs afterwards."""
        if self._runs is not None:
            await self._runs.aclose(grace)
            await self._runs.store.aclose()

    async def _run(self, exchange: Exchange, receive: Receive, stream: AsyncStream, encoder: Encoder) -> None:
        metrics = self._metrics[exchange.pipeline or ""]
        self._running.add(stream)
        metrics.active += 1
        try:
            response = StreamResponse(stream, encoder, headers=exchange.headers)
            await response(exchange.scope, receive, exchange.send)
        finally:
            self._running.discard(stream)
            await stream.aclose()
            self._ended(exchange, stream, metrics)

    def _outlived(self, exchange: Exchange, stream: AsyncStream, held: ExitStack, _run: object) -> None:
        held.close()
        self._ended(exchange, stream, self._metrics[exchange.pipeline or ""])
        exchange.done()

    def _ended(self, exchange: Exchange, stream: AsyncStream, metrics: PipelineMetrics) -> None:
        metrics.active -= 1
        exchange.ended(stream.result, stopped=self.stopping)
        metrics.tokens += stream.result.tokens
        metrics.duration.observe(exchange.seconds)
        metrics.end(exchange.route, exchange.outcome)

    def _choose(self, model: str | None) -> str:
        """Return the pipeline that a client means.

        Clients of one model say nothing, what TGI is called (`tgi`), what huggingface_hub says for it (`dummy`), or the
        URL that they ask: all of these mean the default.
        """
        if not model or model in {"tgi", "dummy"} or "://" in model:
            return self._default
        if model not in self._pipelines:
            raise RefusalError("There is no model of this name here; GET /v1/models lists them.", 404)
        return model


def _check(stream: AsyncStream) -> None:
    """Raise what went wrong before the first token, which is an HTTP status and no stream."""
    try:
        result = stream.result
    except ConfigurationError:  # it goes on
        return
    if result.error is not None and not result.tokens:
        raise result.error


def _cut(pipeline: Pipeline, stops: tuple[str, ...]) -> Pipeline:
    """Return the pipeline with a cut for one run."""
    if not stops:
        return pipeline
    return attrs.evolve(pipeline, transforms=(*pipeline.transforms, StopSequences(stops)))
