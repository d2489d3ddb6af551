"""One request and its answer: what arrives is recorded, the engine is asked, faults are added, a wire performs it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence

import msgspec
from aiohttp import web

from streamkit.testing.emulator.acts import acts_of
from streamkit.testing.emulator.answers import Response
from streamkit.testing.emulator.engine import NAME, Engine, Reply
from streamkit.testing.emulator.fault import Fault
from streamkit.testing.emulator.pacing import Turnstile
from streamkit.testing.emulator.seen import RequestLog, SeenRequest
from streamkit.testing.emulator.wire import Wire

MAX_BODY = 64 * 2**20
"""Most bytes of a request body that are read at all; engines have smaller limits of their own."""

Responder = Callable[[SeenRequest], Response | None]
"""Answers a request itself, or leaves it to the engine with `None`."""


class Exchanges:
    """Handles every request of an endpoint; lives in the server's event loop.

    Args:
        engine: What answers.
        log: Where requests are recorded.
        turnstile: Which tokens may go.
        pace: Seconds between two tokens.
        respond: Answers instead of the engine, or is `None`.
        faults: What goes wrong with the answers to `POST`.

    Attributes:
        stopping: Set when the endpoint stops: connections that end from now on were not left by their clients.
    """

    def __init__(
        self,
        engine: Engine,
        log: RequestLog,
        turnstile: Turnstile,
        *,
        pace: float,
        respond: Responder | None,
        faults: Sequence[Fault],
    ) -> None:
        self._engine = engine
        self._log = log
        self._turnstile = turnstile
        self._pace = pace
        self._respond = respond
        self._faults = faults
        self._questions = 0
        self.stopping = False

    def application(self) -> web.Application:
        """Return the application: one handler for all paths, so that every request is seen."""
        app = web.Application(client_max_size=MAX_BODY)
        app.router.add_route("*", "/{path:.*}", self.handle)
        return app

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer a request and record what became of it."""
        raw = await request.read()
        seen = self._see(request, raw)
        self._log.add(seen)
        try:
            return await self._answer(request, seen, raw)
        except (asyncio.CancelledError, ConnectionError):
            if not self.stopping:  # the server itself cuts them then
                seen.client_left.set()
            raise
        finally:
            seen.finished = time.monotonic()
            seen.done.set()

    async def _answer(self, request: web.Request, seen: SeenRequest, raw: bytes) -> web.StreamResponse:
        wire = Wire(request, seen, self._pace, self._turnstile)
        try:
            await self._play(wire, seen, raw)
        except ConnectionError:
            raise
        except Exception as error:  # noqa: BLE001 - a test's own function may raise anything; it is raised at the end
            seen.error = error
            if wire.response is None:
                failure = f"{NAME}: {type(error).__name__} in a script or respond function"
                for act in acts_of(Response(status=500, body=failure)):
                    await wire.perform(act)
            else:
                wire.cut()
        # Without a response, aiohttp tries to send an empty one over a connection that was cut, and gives up.
        return wire.response or web.StreamResponse()

    async def _play(self, wire: Wire, seen: SeenRequest, raw: bytes) -> None:
        acts = acts_of(self._reply(seen, raw))
        if seen.number:
            for fault in self._faults:
                acts = fault.play(acts, seen)
        for act in acts:
            if not await wire.perform(act):
                return

    def _reply(self, seen: SeenRequest, raw: bytes) -> Reply:
        response = self._respond(seen) if self._respond else None
        return self._engine.answer(seen, raw) if response is None else response

    def _see(self, request: web.Request, raw: bytes) -> SeenRequest:
        try:
            body = msgspec.json.decode(raw)
        except msgspec.DecodeError:
            body = None
        self._questions += request.method == "POST"
        return SeenRequest(
            method=request.method,
            path=request.path,
            query=request.query_string,
            headers=request.headers,
            body=body,
            number=self._questions if request.method == "POST" else 0,
        )
