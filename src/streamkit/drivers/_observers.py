"""How observers are told: one call for all hooks of a name, made once for each run, and what an error comes to."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from time import monotonic
from typing import Any, Final

from streamkit.hookplan import Hook
from streamkit.run import Run

logger = logging.getLogger("streamkit")

PATIENCE: Final = 0.1
"""Seconds after which a plain function has held up its event loop for too long."""


class Blocked:
    """Names the hooks that hold up the event loop: each once, though it does so at every token."""

    __slots__ = ("_named",)

    def __init__(self) -> None:
        self._named: set[str] = set()

    def __call__(self, hook: Hook, seconds: float) -> None:
        """Warn of a hook, unless this was done."""
        name = str(hook)
        if name not in self._named:
            self._named.add(name)
            remedy = "hand its work to a thread"
            if hook.name != "on_abort":  # which cannot be awaited
                remedy = f"make it `async def` and await what it waits for, or {remedy}"
            logger.warning("%s held up the event loop for %.0f ms: %s", name, seconds * 1000, remedy)


def telling(hooks: Sequence[Hook], run: Run, blocked: Blocked | None = None) -> Callable[[Any], None]:
    """Return the call that gives a value to every hook, and only then raises what the first failure was.

    So an observer sees whole runs, whatever the one before it does.

    Args:
        hooks: The hooks; none of them awaits.
        run: What they are told of.
        blocked: Whom to tell of a hook that takes longer than `PATIENCE`; the clock is read once for each hook and once
            more, and not at all for `None`.
    """
    calls = [(hook, hook.bound(run)) for hook in hooks]

    def tell(value: Any) -> None:
        failure: BaseException | None = None
        start = 0.0 if blocked is None else monotonic()
        for hook, call in calls:
            try:
                call(value)
            except BaseException as error:  # noqa: BLE001 - raised again below
                failure = first_failure(hook, error, failure)
            if blocked is not None:
                end = monotonic()
                if end - start > PATIENCE:
                    blocked(hook, end - start)
                start = end
        if failure is not None:
            raise failure

    return tell


def atelling(hooks: Sequence[Hook], run: Run) -> Callable[[Any], Awaitable[None] | None]:
    """Return the twin of `telling` for the asynchronous driver; what it returns is awaited unless it is `None`.

    Only plain functions are timed: what is awaited leaves the event loop to others.
    """
    blocked = Blocked()
    if not any(hook.awaits for hook in hooks):
        return telling(hooks, run, blocked)
    calls = [(hook, hook.bound(run)) for hook in hooks]

    async def tell(value: Any) -> None:
        failure: BaseException | None = None
        for hook, call in calls:
            start = monotonic()
            try:
                called = call(value)
                if hook.awaits:
                    await called
            except BaseException as error:  # noqa: BLE001 - raised again below
                failure = first_failure(hook, error, failure)
            if not hook.awaits and (seconds := monotonic() - start) > PATIENCE:
                blocked(hook, seconds)
        if failure is not None:
            raise failure

    return tell


def first_failure(hook: Hook, error: BaseException, first: BaseException | None) -> BaseException:
    """Return what to raise for an observer that raised, perhaps after another: the first, or an interruption."""
    error.add_note(f"in {hook}")
    if first is None or (isinstance(first, Exception) and not isinstance(error, Exception)):
        return error
    note_failure(hook, error, first)
    return first


def note_failure(hook: Hook, error: BaseException, cause: BaseException | None) -> None:
    """Report an observer of the end that raised: logged, and noted on what ended the run."""
    logger.warning("%s raised %s: %s", hook, type(error).__name__, error)
    if cause is not None:
        cause.add_note(f"{hook} raised {type(error).__name__}: {error}")
