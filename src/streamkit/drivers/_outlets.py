"""Where a run's events go: its sinks in use, and the one call that hands everything on, made once for each run."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from time import monotonic
from typing import Any, TypeAlias

from streamkit.drivers._observers import PATIENCE, Blocked, atelling, logger, telling
from streamkit.errors import ConfigurationError, SinkError
from streamkit.events import Event, Token
from streamkit.hookplan import Hook
from streamkit.request import Request
from streamkit.result import RunResult
from streamkit.run import Run

Deliver: TypeAlias = Callable[[Sequence[Event]], Awaitable[None] | None]


class Outlet:
    """The writer of one sink in one run.

    1. A writer that raises fails the run with a `SinkError` that names the sink.
    2. One whose sink could not be opened because of its settings fails it with the sink's own `ConfigurationError`.
    3. An isolated sink is logged instead, once, whatever else it fails in, and gets nothing more but its `close`.
    """

    __slots__ = ("_close", "_isolated", "_logged", "_sink", "awaits", "put")

    def __init__(self, sink: Any, request: Request, *, awaits: bool) -> None:
        self._sink = sink
        self.awaits = awaits
        self._isolated = bool(getattr(sink, "isolated", False))
        self._logged = False
        self.put: Callable[[Event], Any] | None = None
        self._close: Callable[[RunResult], Any] | None = None
        try:
            writer = sink.aopen(request) if awaits else sink.open(request)
            self.put, self._close = (writer.awrite, writer.aclose) if awaits else (writer.write, writer.close)
        except Exception as error:
            if isinstance(error, ConfigurationError) and not self._isolated:
                raise
            self.failed("could not be opened", error)

    def write(self, event: Event) -> None:
        """Write an event to a synchronous writer."""
        if self.put is not None:
            try:
                self.put(event)
            except Exception as error:  # noqa: BLE001 - a sink may raise anything
                self.failed("could not be written to", error)

    def close(self, result: RunResult) -> None:
        """Close a synchronous writer."""
        if self._close is not None:
            try:
                self._close(result)
            except Exception as error:  # noqa: BLE001 - a sink may raise anything
                self.failed("could not be closed", error)

    async def awrite(self, event: Event) -> None:
        """Write an event to either kind of writer."""
        if not self.awaits:
            self.write(event)
        elif self.put is not None:
            try:
                await self.put(event)
            except Exception as error:  # noqa: BLE001 - a sink may raise anything
                self.failed("could not be written to", error)

    async def aclose(self, result: RunResult) -> None:
        """Close either kind of writer."""
        if not self.awaits:
            self.close(result)
        elif self._close is not None:
            try:
                await self._close(result)
            except Exception as error:  # noqa: BLE001 - a sink may raise anything
                self.failed("could not be closed", error)

    def failed(self, what: str, error: Exception) -> None:
        self.put = None
        message = f"sink {self._sink!r} {what}: {type(error).__name__}: {error}"
        if not self._isolated:
            raise SinkError(message) from error
        if not self._logged:
            self._logged = True
            logger.warning("isolated %s; the run goes on without it", message)


def delivery(
    outlets: Sequence[Outlet], hooks: Sequence[Hook], run: Run, blocked: Blocked | None = None
) -> Callable[[Sequence[Event]], None]:
    """Return the call that gives each event to the sinks, and then its text to the `on_text` hooks.

    With one sink and one hook at most, as most pipelines have, nothing is looped over: that makes it twice as fast.

    Args:
        outlets: The sinks in use; none of them awaits.
        hooks: The hooks; none of them awaits.
        run: What the hooks are told of.
        blocked: See `telling`.
    """
    if len(outlets) <= 1 and len(hooks) <= 1:
        return _short_delivery(outlets, hooks, run, blocked)
    tell = telling(hooks, run, blocked)

    def deliver(events: Sequence[Event]) -> None:
        for event in events:
            for outlet in outlets:
                outlet.write(event)
            if hooks and type(event) is Token and event.text and event.channel == "text":
                tell(event.text)

    return deliver


def _short_delivery(
    outlets: Sequence[Outlet], hooks: Sequence[Hook], run: Run, blocked: Blocked | None
) -> Callable[[Sequence[Event]], None]:
    put = outlets[0].put if outlets else None
    call = hooks[0].bound(run) if hooks else None

    def deliver(events: Sequence[Event]) -> None:
        nonlocal put
        for event in events:
            if put is not None:
                try:
                    put(event)
                except Exception as error:  # noqa: BLE001 - a sink may raise anything
                    put = None
                    outlets[0].failed("could not be written to", error)
            if call is not None and type(event) is Token and (text := event.text) and event.channel == "text":
                start = 0.0 if blocked is None else monotonic()
                try:
                    call(text)
                except BaseException as error:
                    error.add_note(f"in {hooks[0]}")
                    raise
                finally:
                    if blocked is not None and (seconds := monotonic() - start) > PATIENCE:
                        blocked(hooks[0], seconds)

    return deliver


def adelivery(outlets: Sequence[Outlet], hooks: Sequence[Hook], run: Run) -> Deliver:
    """Return the twin of `delivery` for the asynchronous driver; what it returns is awaited unless it is `None`.

    Where nothing awaits it is the synchronous one: a coroutine costs as much as all the rest of handing on a token.
    """
    if not (any(outlet.awaits for outlet in outlets) or any(hook.awaits for hook in hooks)):
        return delivery(outlets, hooks, run, Blocked())
    tell = atelling(hooks, run)

    async def deliver(events: Sequence[Event]) -> None:
        for event in events:
            for outlet in outlets:
                await outlet.awrite(event)
            if hooks and type(event) is Token and event.text and event.channel == "text":
                told = tell(event.text)
                if told is not None:
                    await told

    return deliver
