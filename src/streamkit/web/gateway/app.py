"""The gateway: named pipelines behind the routes that clients of TGI, OpenAI and the AI SDK ask; plain ASGI.

A framework would route and parse headers here, and neither is on the path of a token; its own streaming response,
background tasks and exception pages would have to be got out of the way again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

from streamkit.errors import StreamkitError
from streamkit.web.gateway import resuming
from streamkit.web.gateway.access import Access, read_headers
from streamkit.web.gateway.addressed import PLAIN, Addressed, address
from streamkit.web.gateway.answering import Answers
from streamkit.web.gateway.asked import Dialect
from streamkit.web.gateway.body import ClientGoneError, Receive
from streamkit.web.gateway.exchange import Exchange
from streamkit.web.gateway.log import logger, request_id
from streamkit.web.gateway.metrics import Metrics
from streamkit.web.gateway.pages import Pages
from streamkit.web.gateway.refusals import RefusalError
from streamkit.web.gateway.routes import OPEN, PAGES
from streamkit.web.gateway.settings import Configuration
from streamkit.web.playground import ASSETS, HEADERS
from streamkit.web.resumable import MemoryStore, ResumableRuns

Scope = MutableMapping[str, Any]
Send = Callable[[Any], Awaitable[None]]


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

    Attributes:
        metrics: What has been counted.
    """

    def __init__(self, configuration: Configuration) -> None:
        self.configuration = configuration
        self._settings = configuration.settings
        self.metrics = Metrics(tuple(configuration.pipelines))
        store = MemoryStore() if self._settings.resumable is True else self._settings.resumable
        self._runs = None if store is False else ResumableRuns(store)
        self._access = Access(self._settings)
        self._answers = Answers(configuration, self.metrics, self._runs)
        self._pages = Pages(configuration, self.metrics, resumable=self._runs is not None)

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
        self._answers.stopping = True

    async def farewell(self) -> None:
        """End the running answers: each says in its own protocol that it was stopped before its end."""
        self.stop()
        await self._answers.farewell()

    async def aclose(self, grace: float) -> None:
        """Let answers that outlived their requests go on for so many seconds; nothing runs afterwards."""
        await self._answers.aclose(grace)

    async def _exchange(self, exchange: Exchange, receive: Receive) -> None:
        dialect: Dialect = PLAIN
        try:
            headers = read_headers(exchange.scope, self._settings.limits.header_bytes)
            exchange.id = request_id(headers.get("x-request-id", ""))
            exchange.headers |= {"x-request-id": exchange.id, **self._access.shared(headers)}
            pipelines, resumable = self.configuration.pipelines, self._runs is not None
            addressed = address(exchange.scope, pipelines, resumable=resumable)
            exchange.route, dialect = addressed.name, addressed.dialect
            self._access.place(headers)
            await self._serve(exchange, receive, headers, addressed)
        except ClientGoneError:
            exchange.outcome = "aborted"
        except Exception as error:  # noqa: BLE001 - a client must get an answer, and the log a line
            await self._refuse(exchange, error, dialect)
        finally:
            exchange.done()

    async def _serve(
        self, exchange: Exchange, receive: Receive, headers: Mapping[str, str], addressed: Addressed
    ) -> None:
        method, path, methods = exchange.scope["method"], addressed.path, addressed.methods
        if not methods:
            raise RefusalError("There is nothing at this path; GET /openapi.json tells what there is.", 404)
        if method == "HEAD" and path in PAGES:
            method = "GET"
        if method == "OPTIONS":
            granted = self._access.preflight(headers, ", ".join((*methods, "OPTIONS")))
            await exchange.respond(204, "", b"", granted)
            return
        if method not in methods:
            raise RefusalError(f"This path takes {' and '.join(methods)}.", 405, {"allow": ", ".join(methods)})
        if not (method == "GET" and path in OPEN):
            exchange.owner = self._access.caller(headers, exchange.scope["query_string"])
        if self._runs is not None and addressed.kept is not None:
            await resuming.answer(self._runs, exchange, receive, headers.get("last-event-id"), addressed.kept)
        elif method == "GET":
            status, content_type, body = self._pages.page(path, addressed.pipeline, stopping=self._answers.stopping)
            await exchange.respond(status, content_type, body, HEADERS if path in ASSETS else {})
        else:
            await self._answers.answer(exchange, receive, headers, addressed)

    async def _refuse(self, exchange: Exchange, error: Exception, dialect: Dialect) -> None:
        if not isinstance(error, StreamkitError) and exchange.pipeline is None:
            logger.error("a request failed", exc_info=error, extra={"fields": {"request_id": exchange.id}})
        if exchange.status is None:
            await exchange.refuse(error, *dialect.refuse(error))
            self.metrics.refuse(exchange.route, exchange.status or 0)


async def _live(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
