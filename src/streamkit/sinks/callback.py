"""Give the answer to a function."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, Literal, Protocol

import attrs

from streamkit.errors import ConfigurationError
from streamkit.events import Event, Token
from streamkit.protocols import AsyncWriter, Writer
from streamkit.request import Request
from streamkit.result import RunResult


def _callable(_: object, __: object, function: Any) -> None:
    if not callable(function):
        raise ConfigurationError(f"a callback is a function, not {function!r}")


def _known(_: object, __: object, on: str) -> None:
    if on not in {"text", "event"}:
        raise ConfigurationError(f'a callback is called on "text" or on "event", not on {on!r}')


class _Open(Protocol):
    def __call__(self, request: Request) -> Writer: ...


class _AsyncOpen(Protocol):
    def __call__(self, request: Request) -> AsyncWriter: ...


@attrs.frozen
class Callback:
    """Calls a function with each piece of the answer's text, or with each event.

    A coroutine function is awaited, piece after piece in order, and works in asynchronous runs only: the sink of a
    plain function has the method `open`, that of a coroutine function has `aopen` instead.

    Args:
        function: Takes one argument; what it returns is ignored, except that a plain function must not return a
            coroutine, which would never run.
        on: `"text"`: called with each non-empty piece of the answer's text; `"event"`: with everything that leaves
            the chain, the `Finish` last.
        isolated: Whether the run goes on, with a log entry, when the function raises.

    Raises:
        ConfigurationError: The function cannot be called, or `on` is something else.
    """

    function: Callable[[Any], Any] = attrs.field(validator=_callable)
    on: Literal["text", "event"] = attrs.field(default="text", kw_only=True, validator=_known)
    isolated: bool = attrs.field(default=False, kw_only=True)
    open: _Open = attrs.field(init=False, repr=False, eq=False)
    aopen: _AsyncOpen = attrs.field(init=False, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        # Only one of the two slots is filled; the other attribute does not exist, as the pipeline expects.
        object.__setattr__(self, "aopen" if _is_coroutine_function(self.function) else "open", self._open)

    def _open(self, request: Request) -> _CallbackWriter:  # noqa: ARG002 - the shape of a sink
        return _CallbackWriter(self.function, texts=self.on == "text")


class _CallbackWriter:
    __slots__ = ("_function", "_texts")

    def __init__(self, function: Callable[[Any], Any], *, texts: bool) -> None:
        self._function = function
        self._texts = texts

    def write(self, event: Event) -> None:
        if not self._texts:
            returned = self._function(event)
        elif type(event) is Token and event.text and event.channel == "text":
            returned = self._function(event.text)
        else:
            return
        if inspect.iscoroutine(returned):
            returned.close()
            raise ConfigurationError(
                "the function of a callback returned a coroutine, which nobody awaits: write it with `async def`, "
                "so that it is seen to be a coroutine function"
            )

    async def awrite(self, event: Event) -> None:
        if not self._texts:
            await self._function(event)
        elif type(event) is Token and event.text and event.channel == "text":
            await self._function(event.text)

    def close(self, result: RunResult) -> None:
        pass

    async def aclose(self, result: RunResult) -> None:
        pass


def _is_coroutine_function(function: Callable[[Any], Any]) -> bool:
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(type(function).__call__)
