"""Waiting that ends early when the stream is closed from elsewhere."""

from __future__ import annotations

import threading
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from streamkit.errors import ConfigurationError
from streamkit.request import Hangup

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop


def pause(hangup: Hangup, seconds: float) -> None:
    """Wait, or until the stream is closed."""
    left = threading.Event()
    hangup.attach(left.set)
    left.wait(seconds)


async def apause(hangup: Hangup, seconds: float) -> None:
    """Wait, or until the stream is closed; the asynchronous twin of `pause`.

    Raises:
        ConfigurationError: This is another event loop than asyncio's.
    """
    import asyncio

    loop = running_loop()
    left = asyncio.Event()
    hangup.attach(partial(loop.call_soon_threadsafe, left.set))
    with suppress(TimeoutError):
        await asyncio.wait_for(left.wait(), seconds)


def running_loop() -> AbstractEventLoop:
    """Return asyncio's running loop.

    Raises:
        ConfigurationError: There is none, which under trio is no wonder.
    """
    import asyncio

    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        raise ConfigurationError(
            "this source runs on asyncio: under another event loop use stream() in a worker thread"
        ) from None
