"""What a block of code leaves behind: threads, tasks and file descriptors, sockets among them."""

from __future__ import annotations

import asyncio
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import attrs

_DESCRIPTORS: Final = Path("/proc/self/fd")
_LOOK: Final = 0.002
"""Seconds between two looks."""


def open_descriptors() -> int:
    """Return the number of open file descriptors, sockets included; 0 where the system does not list them."""
    return len(list(_DESCRIPTORS.iterdir())) if _DESCRIPTORS.exists() else 0


@attrs.define
class NoLeaks:
    """Holds a block to leave no thread and no file descriptor behind, and with `async with` no task either.

    Servers in the same process close their side of a connection a moment later, so what is too much is looked at
    again until patience runs out. A block that raises is not held to anything.

    Args:
        patience: Seconds.

    Raises:
        AssertionError: Something is left.
    """

    patience: float = 2.0
    _threads: set[threading.Thread] = attrs.field(factory=set, init=False)
    _tasks: set[asyncio.Task[object]] = attrs.field(factory=set, init=False)
    _descriptors: int = attrs.field(default=0, init=False)

    def __enter__(self) -> Self:
        self._threads, self._descriptors = set(threading.enumerate()), open_descriptors()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        deadline = time.monotonic() + self.patience
        while error is None and (left := self._left()):
            if time.monotonic() > deadline:
                raise AssertionError(f"left behind: {', '.join(left)}")
            time.sleep(_LOOK)

    async def __aenter__(self) -> Self:
        self._tasks = asyncio.all_tasks()
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        deadline = time.monotonic() + self.patience
        while error is None and (left := self._left() + self._left_tasks()):
            if time.monotonic() > deadline:
                raise AssertionError(f"left behind: {', '.join(left)}")
            await asyncio.sleep(_LOOK)

    def _left(self) -> list[str]:
        left = [f"thread {thread.name!r}" for thread in set(threading.enumerate()) - self._threads]
        more = open_descriptors() - self._descriptors
        return [*left, f"{more} file descriptors"] if more > 0 else left

    def _left_tasks(self) -> list[str]:
        return [f"task {task.get_name()!r}" for task in asyncio.all_tasks() - self._tasks]
