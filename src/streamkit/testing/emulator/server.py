"""An emulated inference endpoint: a real HTTP server on loopback, in a thread of its own."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from types import TracebackType
from typing import TYPE_CHECKING, Self, cast

from streamkit.errors import ConfigurationError
from streamkit.testing.emulator.answers import Response
from streamkit.testing.emulator.dialects import ENGINES, EngineName
from streamkit.testing.emulator.engine import Settings
from streamkit.testing.emulator.fault import Fault
from streamkit.testing.emulator.listener import Background, Listen
from streamkit.testing.emulator.pacing import Turnstile
from streamkit.testing.emulator.script import Script, read_script
from streamkit.testing.emulator.seen import RequestLog, SeenRequest

if TYPE_CHECKING:
    from streamkit.testing.emulator.exchange import Exchanges, Responder


class EmulatedEndpoint:
    """A stand-in for an inference endpoint, for tests and demonstrations; it infers nothing.

        with EmulatedEndpoint(script=["Hello", " world", ScriptedToken("</s>", special=True)]) as server:
            ...  # any client, on server.url

    1. It speaks the engine's dialects over real HTTP, one chunk per token, and says that it is an emulator in the
       Server header, on its info routes and in system fingerprints.
    2. It records every request in `requests`, and notices at once when a client leaves.
    3. It never logs; an exception of a test's own `script` or `respond` function is answered with 500, and is raised
       when the `with` block is left.
    4. It costs one thread and one event loop while it runs; `stop` cuts running answers and leaves nothing behind.

    A script that ends without a special token ends as if `max_new_tokens` had been reached.

    Args:
        script: The tokens of every answer, or a function from a request to tokens, called in the server's thread;
            `None` for a small n-gram model of a travel guide.
        engine: What to present itself as: `"tgi"`, `"vllm"`, `"openai"` (a hosted provider) or `"ollama"`.
        model: Name of the model served.
        pace: Seconds between two tokens.
        gate: True to hold every token until `release`.
        api_key: Key that requests must bear; `None` for an open server.
        max_stop_sequences: Most stop strings in a request (TGI).
        max_total_tokens: Most tokens of prompt and answer together.
        seed: Dice of the n-gram model for requests without a seed; `None` for new ones each time.
        respond: A response for all requests, or a function from a request to a response or `None` (the engine
            answers then), called in the server's thread.
        faults: What goes wrong with the answers to `POST`, in the order in which the answer passes them; see
            `streamkit.testing.faults`.
        port: Where to listen; 0 for a free port.

    Raises:
        ConfigurationError: The script is one string or empty, or the engine is unknown.
    """

    def __init__(
        self,
        script: Script | None = None,
        *,
        engine: EngineName = "tgi",
        model: str = "emulated/tiny",
        pace: float = 0.0,
        gate: bool = False,
        api_key: str | None = None,
        max_stop_sequences: int = 4,
        max_total_tokens: int = 4096,
        seed: int | None = None,
        respond: Response | Responder | None = None,
        faults: Iterable[Fault] = (),
        port: int = 0,
    ) -> None:
        presented = ENGINES.get(engine)
        if presented is None:
            raise ConfigurationError(f"unknown engine {engine!r}: choose one of {', '.join(ENGINES)}")
        if script is not None and not callable(script):
            script = tuple(read_script(script))
        self._settings = Settings(
            model=model,
            api_key=api_key,
            max_stop_sequences=max_stop_sequences,
            max_total_tokens=max_total_tokens,
            script=script,
            seed=seed,
            faults=tuple(faults),
        )
        self._port = port
        self._engine = presented
        self._pace = pace
        self._respond = (lambda _seen: respond) if isinstance(respond, Response) else respond
        self._log = RequestLog()
        self._turnstile = Turnstile(closed=gate)
        self._running: _Running | None = None

    @property
    def url(self) -> str:
        """Where the server listens, such as `http://127.0.0.1:43210`.

        Raises:
            RuntimeError: It is not running.
        """
        if self._running is None:
            raise RuntimeError("the endpoint is not running: use it in a with statement, or call start()")
        return self._running.url

    @property
    def requests(self) -> list[SeenRequest]:
        """All requests so far, in order of arrival."""
        return self._log.snapshot()

    def wait_for_request(self, timeout: float = 5.0) -> SeenRequest:
        """Return the oldest request that no earlier call returned, waiting for it if need be.

        It blocks; in asynchronous code use `await asyncio.to_thread(server.wait_for_request)`.

        Args:
            timeout: Seconds to wait.

        Raises:
            TimeoutError: No further request arrived.
        """
        return self._log.next(timeout)

    def release(self, tokens: float = 1) -> None:
        """Let every stream, present and future, send this many tokens more; for an endpoint with `gate=True`.

        Args:
            tokens: How many; `math.inf` opens the gate for good.
        """
        if self._running is None:
            self._turnstile.release(tokens)
        else:
            self._running.loop.call_soon_threadsafe(self._turnstile.release, tokens)

    def start(self) -> Self:
        """Start the server, unless it runs already."""
        if self._running is None:
            from streamkit.testing.emulator.exchange import Exchanges

            exchanges = Exchanges(
                self._engine(self._settings),
                self._log,
                self._turnstile,
                pace=self._pace,
                respond=self._respond,
                faults=self._settings.faults,
            )
            self._running = _Running(exchanges, self._port)
        return self

    def stop(self) -> None:
        """Cut running answers and free everything; does nothing if the server does not run."""
        if self._running is not None:
            self._running.stop()
            self._running = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()
        if exc is None:
            for seen in self.requests:
                if seen.error is not None:
                    raise seen.error

    async def __aenter__(self) -> Self:
        return self.start()

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.__exit__(exc_type, exc, traceback)


class _Running:
    """A running server: its thread, its loop, its address."""

    def __init__(self, exchanges: Exchanges, port: int) -> None:
        self._exchanges = exchanges
        self._background = Background(self._serve, port, "streamkit-emulator")
        self.loop = self._background.loop
        self.url = f"http://127.0.0.1:{self._background.port}"

    def stop(self) -> None:
        """End the server and its thread."""
        self._background.stop()

    async def _serve(self, listen: Listen) -> None:
        from aiohttp import web

        silent = logging.getLogger("streamkit.testing.emulator")
        silent.disabled = True  # aiohttp logs what it could not parse, and that may be a prompt
        runner = web.AppRunner(self._exchanges.application(), handler_cancellation=True, access_log=None, logger=silent)
        await runner.setup()
        server = cast("web.Server", runner.server)  # set up a line above
        listener = listen(server)
        await listener.stopped.wait()
        self._exchanges.stopping = True
        await listener.close()
        for connection in server.connections:
            if connection.transport is not None:
                connection.transport.abort()
        await runner.cleanup()
