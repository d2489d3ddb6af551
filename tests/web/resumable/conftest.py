"""What every test needs: a model that says a word when it is told to, and ways to read a log."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import pytest

from streamkit import Finish, Pipeline, Token
from streamkit.stores import LogHead


class Model:
    """A source that says each word when it is put, ends at `None`, and raises what is an error."""

    def __init__(self, *words):
        self._queue = asyncio.Queue()
        self.opened = 0
        self.closed = asyncio.Event()
        self.say(*words)

    def say(self, *words):
        """Say words now."""
        for word in words:
            self._queue.put_nowait(word)

    @asynccontextmanager
    async def aopen(self, request):
        """Yield one batch for each word."""
        self.opened += 1
        try:
            yield self._batches()
        finally:
            self.closed.set()

    async def _batches(self):
        while True:
            word = await self._queue.get()
            if isinstance(word, Exception):
                raise word
            if word is None:
                yield [Finish(reason="eos_token")]
                return
            yield [Token(word)]

    def stream(self):
        """Return a stream of what it says."""
        return Pipeline(self).astream("Hi")


@pytest.fixture
def model():
    """Return a model that has not been asked."""
    return Model()


@pytest.fixture
def head():
    """Return the head of a stream of server-sent events."""
    return LogHead(headers={"content-type": "text/event-stream"}, will=b"data: lost\n\n")


@pytest.fixture
def read_all():
    """Return a function that gives every entry up to the end."""

    async def read_all(reader):
        return [entry async for entries in reader for entry in entries]

    return read_all


@pytest.fixture
def read_until():
    """Return a function that reads until an entry has a text, and gives the entries."""

    async def read_until(reader, text):
        read = []
        async for entries in reader:
            read += entries
            if any(text in entry.data for entry in entries):
                break
        return read

    return read_until
