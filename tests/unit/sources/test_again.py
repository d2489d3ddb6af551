"""Trying again, and leaving while the next try is waited for."""

import asyncio
import threading

import pytest
import trio

from streamkit import Attempt, ConfigurationError, Pipeline, Retry
from streamkit.errors import OverloadedError


class Busy:
    """A source that is always busy."""

    def open(self, request):
        """Refuse."""
        raise OverloadedError("busy", transient=True, retry_after=20.0)

    def aopen(self, request):
        """Refuse."""
        return self.open(request)


def close_at_attempt(closing):
    """Return callbacks that close a stream from another thread when a try has failed."""
    return [{"on_retry": lambda: threading.Timer(0.02, closing).start()}]


def test_a_stream_that_is_closed_while_the_next_try_is_waited_for_is_left():
    """Its reader is woken at once, and the run is not called complete."""

    def close():
        stream.close()

    stream = Pipeline(Retry(Busy()), callbacks=close_at_attempt(close)).stream("Hi")
    with stream:
        events = list(stream.events())
    assert [type(event) for event in events] == [Attempt]
    assert (stream.result.outcome, stream.result.timings.total < 10) == ("aborted", True)


async def test_an_asynchronous_one_is_left_too():
    """From another thread as well."""
    loop = asyncio.get_running_loop()

    def close():
        asyncio.run_coroutine_threadsafe(stream.aclose(), loop)

    stream = Pipeline(Retry(Busy()), callbacks=close_at_attempt(close)).astream("Hi")
    async with stream:
        events = [event async for event in stream.events()]
    assert [type(event) for event in events] == [Attempt]
    assert (stream.result.outcome, stream.result.timings.total < 10) == ("aborted", True)


def test_another_event_loop_is_refused():
    """Waiting is asyncio's business here."""
    with pytest.raises(ConfigurationError, match="runs on asyncio"):
        trio.run(Pipeline(Retry(Busy())).arun, "Hi")
