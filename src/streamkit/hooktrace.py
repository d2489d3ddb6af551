"""Hook calls on stderr, for whoever looks for a slow or silent plugin: `STREAMKIT_TRACE_HOOKS=1`.

It is decided when a plan is compiled, so it costs nothing where it is off.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import attrs

if TYPE_CHECKING:
    from streamkit.hookplan import Hook

VARIABLE: Final = "STREAMKIT_TRACE_HOOKS"


def tracing() -> bool:
    """Tell whether hook calls are to be shown."""
    return os.environ.get(VARIABLE, "") not in {"", "0"}


def traced(hook: Hook) -> Hook:
    """Return a hook that writes a line for each of its calls: how long it took, in microseconds, and what it raised.

    Args:
        hook: The hook.
    """
    call = hook.call

    def called(run: Any, value: Any) -> Any:
        with _timed(hook):
            return call(run, value)

    async def awaited(run: Any, value: Any) -> None:
        with _timed(hook):
            await call(run, value)

    return attrs.evolve(hook, call=awaited if hook.awaits else called, alone=None)


@contextmanager
def _timed(hook: Hook) -> Iterator[None]:
    start = time.perf_counter_ns()
    end = ""
    try:
        yield
    except BaseException as error:
        end = f" and raised {type(error).__name__}: {error}"
        raise
    finally:
        took = (time.perf_counter_ns() - start) / 1000
        # A log would have to be configured first.
        print(f"streamkit: {hook} took {took:.1f} µs{end}", file=sys.stderr, flush=True)  # noqa: T201 - see above
