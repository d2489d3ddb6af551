"""The hooks a plugin may implement, in two families that never mix.

**Registration hooks** are asked once per host, lazily; they return a mapping of names to factories.

**Lifecycle hooks** observe a run. What they return is ignored: a plugin that wants to change the stream is a
`Transform`. For each run they are called in this grammar, whatever happens:

    on_start on_retry* (on_token | on_text | on_completion)* (on_error | on_abort)? on_final

A cut at a stop sequence is a completion. A lifecycle hook may name only the arguments it needs, and may be a
coroutine function where the asynchronous driver runs it (`on_abort` may not: it runs while being cancelled).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pluggy

from streamkit.events import Attempt, Token
from streamkit.protocols import Format
from streamkit.request import Request
from streamkit.result import RunResult
from streamkit.run import Run

NAME = "streamkit"
"""Name of the pluggy project and of the entry-point group."""

hookspec = pluggy.HookspecMarker(NAME)
hookimpl = pluggy.HookimplMarker(NAME)

REGISTRATION = ("register_sources", "register_transforms", "register_formats", "register_sinks", "register_stores")
LIFECYCLE = ("on_start", "on_retry", "on_token", "on_text", "on_completion", "on_error", "on_abort", "on_final")


@hookspec
def register_sources() -> Mapping[str, Callable[..., Any]]:  # type: ignore[empty-body]
    """Return sources by name; a factory takes the options of the source as keywords."""


@hookspec
def register_transforms() -> Mapping[str, Callable[..., Any]]:  # type: ignore[empty-body]
    """Return transforms by name; a factory takes the options of the transform as keywords."""


@hookspec
def register_formats() -> Mapping[str, Format]:  # type: ignore[empty-body]
    """Return wire formats by name."""


@hookspec
def register_sinks() -> Mapping[str, Callable[..., Any]]:  # type: ignore[empty-body]
    """Return sinks by name; a factory takes the options of the sink as keywords."""


@hookspec
def register_stores() -> Mapping[str, Callable[..., Any]]:  # type: ignore[empty-body]
    """Return stores of resumable streams by name; a factory takes the options of the store as keywords."""


@hookspec
def on_start(run: Run, request: Request) -> None:
    """Observe that a run starts; called once, before the source is opened."""


@hookspec
def on_retry(run: Run, attempt: Attempt) -> None:
    """Observe that a try failed before its first token and another follows."""


@hookspec
def on_token(run: Run, token: Token) -> None:
    """Observe a token as it was decoded, before the chain; special ones too."""


@hookspec
def on_text(run: Run, text: str) -> None:
    """Observe a non-empty piece of the answer's text that leaves the chain."""


@hookspec
def on_completion(run: Run, completion: RunResult) -> None:
    """Observe a finished answer (text, finish reason, usage), once its last text has been delivered."""


@hookspec
def on_error(run: Run, error: Exception) -> None:
    """Observe that the source, a decoder, a transform, a sink or a hook raised."""


@hookspec
def on_abort(run: Run, reason: str) -> None:
    """Observe that the consumer left early; synchronous implementations only."""


@hookspec
def on_final(run: Run, result: RunResult) -> None:
    """Observe the end; called exactly once if `on_start` was called, whatever happened.

    In a cancelled run, asyncio lets a coroutine function finish; trio cuts it at its first `await`, unless it shields
    itself.
    """
