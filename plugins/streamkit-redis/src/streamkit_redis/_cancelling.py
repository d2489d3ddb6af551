"""Cancellations that the client swallows: it sends by `asyncio.wait_for`, which may lose one before Python 3.12."""

from __future__ import annotations

import asyncio


def cancellations() -> int:
    """Return how often this task was asked to end, whether or not it has heard of it."""
    task = asyncio.current_task()
    return 0 if task is None else task.cancelling()
