"""The gateway: named pipelines behind the routes that clients of TGI, OpenAI and the AI SDK ask; plain ASGI.

A framework would route and parse headers here, and neither is on the path of a token; its own streaming response,
background tasks and exception pages would have to be got out of the way again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from contextlib import ExitStack
from functools import partial
from typing import Any

import attrs

from streamkit.drivers.asynchronous import AsyncStream
from streamkit.errors import ConfigurationError, StreamkitError
from streamkit.pipeline import Pipeline
from streamkit.protocols import Encoder
from streamkit.stores import StreamStore
from streamkit.transforms import StopSequences
from streamkit.web.asgi import StreamResponse
from streamkit.web.gateway import pages, resuming
from streamkit.web.gateway.access import Access, read_headers
from streamkit.web.gateway.asked import Dialect
from streamkit.web.gateway.body import ClientGoneError, Receive, read_body
from streamkit.web.gateway.exchange import Exchange
from streamkit.web.gateway.log import logger, request_id
from streamkit.web.gateway.measured import Measured
from streamkit.web.gateway.metrics import Metrics, PipelineMetrics
from streamkit.web.gateway.refusals import BusyError, RefusalError
from streamkit.web.gateway.routes import ANSWERS, ELSEWHERE, OPEN, PAGES, split
from streamkit.web.gateway.settings import Configuration
from streamkit.web.gateway.slots import Slots
from streamkit.web.gateway.whole import WholeEncoder
from streamkit.web.playground import ASSETS, HEADERS
from streamkit.web.resumable import MemoryStore, ResumableRuns
from streamkit.web.resumable.asgi import respond

Scope = MutableMapping[str, Any]
Send = Callable[[Any], Awaitable[None]]

_PLAIN = ANSWERS["/"]
"""Says no on paths that have no protocol."""


class Gateway:
    """An ASGI application that answers for pipelines.

    1. A request is checked in this order: its head's size, the host and page it was meant for, its key, the number of
       answers under way, its body. What is refused has reached no model.
    2. An error before the first byte of an answer is an HTTP status and a body of the client's own protocol; a later
       one is that protocol's error in the stream.
    3. A client that leaves ends its run at once, before the first token too, and frees its place; unless the answer is
       resumable, which goes on and keeps its place.
    4. Each request is one line in the log `streamkit.gateway`, without a word of what was asked or answered.

    Args:
        configuration: The settings and the pipelines.
        store: Where resumable answers are kept; in this process's memory, if the settings ask for them and there is no
            store.

    Attributes:
        metrics: What has been counted.
    """

    def __init__(self, configuration: Configuration, *, store: StreamStore | None = None) -> None:
        self.configuration = configuration
        self._settings = configuration.settings
        self.metrics = Metrics(tuple(configuration.pipelines))
        self._pipelines = {
            name: pipeline.evolve(source=Measured(pipeline.source, self.metrics.pipelines[name]))
            for name, pipeline in configuration.pipelines.items()
        }
        self._access = Access(self._settings)
        self._slots = Slots(self._settings.limits)
        self._running: set[AsyncStream] = set()
        self._stopping = False
        if store is None and self._settings.resumable:
            store = MemoryStore()
        self._runs = None if store is None else ResumableRuns(store)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection's request, or the server's start and stop."""
        if scope["type"] == "lifespan":
            await _live(receive, send)
        elif scope["type"] == "http":
            await self._exchange(Exchange(scope, send), receive)
        else:
            raise NotImplementedError(f"the gateway speaks HTTP and not {scope['type']}")

    def stop(self) -> None:
        """Take no further requests; running answers go on."""
        self._stopping = True

    async def farewell(self) -> None:
        """End the running answers: each says in its own protocol that it was stopped before its end."""
        self._stopping = True
        for stream in tuple(self._running):
            await stream.aclose()
        if self._runs is not None:
            await self._runs.aclose()

    async def aclose(self, grace: float) -> None:
        """Let answers that outlived their requests go on for so many seconds; nothing runs afterwards."""
        if self._runs is not None:
            await self._runs.aclose(grace)
            await self._runs.store.aclose()

    async def _exchange(self, exchange: Exchange, receive: Receive) -> None:
        dialect: Dialect = _PLAIN
        try:
            headers = read_headers(exchange.scope, self._settings.limits.header_bytes)
            exchange.id = request_id(headers.get("x-request-id", ""))
            exchange.headers |= {"x-request-id": exchange.id, **self._access.shared(headers)}
            pipeline, path = split(exchange.scope["path"], self._pipelines)
            kept = None if self._runs is None else resuming.place_of(path)
            dialect = ANSWERS.get(kept.route if kept else path, _PLAIN)
            if kept is not None:
                await self._resume(exchange, receive, headers, kept)
            else:
                await self._serve(exchange, receive, headers, (pipeline, path))
        except ClientGoneError:
            exchange.outcome = "aborted"
        except Exception as error:  # noqa: BLE001 - a client must get an answer, and the log a line
            await self._refuse(exchange, error, dialect)
        finally:
            exchange.done()

    async def _serve(
        self, exchange: Exchange, receive: Receive, headers: Mapping[str, str], place: tuple[str | None, str]
    ) -> None:
        method = "GET" if exchange.scope["method"] == "HEAD" else exchange.scope["method"]
        pipeline, path = place
        methods = ("GET",) * (path in PAGES) + ("POST",) * (path in ANSWERS)
        exchange.route = path if methods else ELSEWHERE
        self._access.place(headers)
        if not methods:
            raise RefusalError("There is nothing at this path; GET /openapi.json tells what there is.", 404)
        if method == "OPTIONS":
            granted = self._access.preflight(headers, ", ".join((*methods, "OPTIONS")))
            await exchange.respond(204, "", b"", granted)
        elif method not in methods:
            raise RefusalError(f"This path takes {' and '.join(methods)}.", 405, {"allow": ", ".join(methods)})
        elif method == "GET" and path in OPEN:
            await self._page(exchange, path, pipeline)
        else:
            exchange.owner = self._access.caller(headers, exchange.scope["query_string"])
            if method == "GET":
                await self._page(exchange, path, pipeline)
            else:
                await self._answer(exchange, receive, headers, (pipeline, path))

    async def _resume(
        self, exchange: Exchange, receive: Receive, headers: Mapping[str, str], place: resuming.Place
    ) -> None:
        assert self._runs is not None  # noqa: S101 - without them there is no such place
        method = resuming.METHODS[place.action]
        exchange.route = f"{place.route}/ID/{place.action}"
        self._access.place(headers)
        if exchange.scope["method"] == "OPTIONS":
            await exchange.respond(204, "", b"", self._access.preflight(headers, f"{method}, OPTIONS"))
        elif exchange.scope["method"] != method:
            raise RefusalError(f"This path takes {method}.", 405, {"allow": method})
        else:
            exchange.owner = self._access.caller(headers, exchange.scope["query_string"])
            await resuming.answer(self._runs, exchange, receive, headers.get("last-event-id"), place)

    async def _page(self, exchange: Exchange, path: str, pipeline: str | None) -> None:
        name = pipeline or self.configuration.default
        status, content_type, body = pages.page(path, name, self._pipelines, self.metrics, stopping=self._stopping)
        await exchange.respond(status, content_type, body, HEADERS if path in ASSETS else {})

    async def _answer(
        self, exchange: Exchange, receive: Receive, headers: Mapping[str, str], place: tuple[str | None, str]
    ) -> None:
        if self._stopping:
            raise BusyError("The gateway is being stopped.")
        pipeline, path = place
        with ExitStack() as held:
            held.enter_context(self._slots.taken(exchange.owner or ""))
            asked = ANSWERS[path].read(await read_body(receive, headers, self._settings.limits), self._settings.limits)
            name = self._choose(pipeline or asked.model)
            exchange.pipeline = name
            shaped = asked.shape(_cut(self._pipelines[name], asked.stops))
            stream, encoder = shaped.astream(asked.question, **asked.parameters), asked.encoder(name)
            stream_id = resuming.id_of(asked, headers)
            if self._runs is None or stream_id is None or isinstance(encoder, WholeEncoder):
                await self._run(exchange, receive, stream, encoder)
                return
            started = await self._runs.start(
                resuming.key_of(exchange.owner, path, stream_id),
                stream,
                encoder,
                taken="replace" if asked.stream_id else "attach",
            )
            if started.run is None:
                await respond(started.reader, exchange.headers, receive, exchange.send)
                return
            exchange.outlived()
            self.metrics.pipelines[name].active += 1
            started.run.add_done_callback(partial(self._outlived, exchange, stream, held.pop_all()))
            await respond(started.reader, exchange.headers, receive, exchange.send, check=partial(_check, stream))

    async def _run(self, exchange: Exchange, receive: Receive, stream: AsyncStream, encoder: Encoder) -> None:
        metrics = self.metrics.pipelines[exchange.pipeline or ""]
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
        self._ended(exchange, stream, self.metrics.pipelines[exchange.pipeline or ""])
        exchange.done()

    def _ended(self, exchange: Exchange, stream: AsyncStream, metrics: PipelineMetrics) -> None:
        metrics.active -= 1
        exchange.ended(stream.result, stopped=self._stopping)
        metrics.tokens += stream.result.tokens
        metrics.duration.observe(exchange.seconds)
        metrics.end(exchange.route, exchange.outcome)

    def _choose(self, model: str | None) -> str:
        """Return the pipeline that a client means.

        Clients of one model say nothing, what TGI is called (`tgi`), what huggingface_hub says for it (`dummy`), or the
        URL that they ask: all of these mean the default.
        """
        if not model or model in {"tgi", "dummy"} or "://" in model:
            return self.configuration.default
        if model not in self._pipelines:
            raise RefusalError("There is no model of this name here; GET /v1/models lists them.", 404)
        return model

    async def _refuse(self, exchange: Exchange, error: Exception, dialect: Dialect) -> None:
        if not isinstance(error, StreamkitError) and exchange.pipeline is None:
            logger.error("a request failed", exc_info=error, extra={"fields": {"request_id": exchange.id}})
        if exchange.status is None:
            await exchange.refuse(error, *dialect.refuse(error))
            self.metrics.refuse(exchange.route, exchange.status or 0)


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


async def _live(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
