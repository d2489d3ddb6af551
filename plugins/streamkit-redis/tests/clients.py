"""Clients that come back: each asks once, is cut off again and again, and goes on by the last event that it has."""

from __future__ import annotations

import asyncio
import json
import random

import aiohttp
from streamkit import LogEntry
from streamkit.stores import parse_position

PATIENCE = 60.0  # seconds until a stream that does not end is given up

LATER = {429, 502, 503, 504}
"""Nobody there for the moment, or not willing: ask again."""

BROKEN = (aiohttp.ClientError, ConnectionError)
"""The connection was cut, or there was none."""


class Client:
    """One client and the stream that it wants whole.

    Args:
        session: Its connections.
        url: Where it asks.
        name: The stream's id, and what it asks.
        stays: Whether it leaves only when it is cut off, and not by itself after a few events, too.

    Attributes:
        entries: The events that it got, in the order of their arrival.
        begun: Set with the first of them.
        told: How it ended: `finished` or `failed`.
    """

    def __init__(self, session, url, name, *, stays=False):
        self._session = session
        self._url = url
        self._stays = stays
        self._dice = random.Random(name)  # noqa: S311 - no secret
        self.name = name
        self.entries = []
        self.begun = asyncio.Event()
        self.told = None

    async def read(self):
        """Come until the stream has ended."""
        async with asyncio.timeout(PATIENCE):
            while self.told is None:
                try:
                    await self._visit()
                except BROKEN:
                    await asyncio.sleep(0.02)
        return self

    @property
    def last(self):
        """The id of the last event that it has."""
        return self.entries[-1].id if self.entries else None

    @property
    def text(self):
        """What it was told."""
        tokens = [json.loads(entry.data.split(b"data:")[1]).get("token") for entry in self.entries]
        return "".join(token["text"] for token in tokens if token and not token["special"])

    async def replay(self, url):
        """Return all events from the first one, as a gateway has them."""
        other = Client(self._session, url, self.name)
        async with self._session.get(f"{url}/generate_stream/{self.name}/stream") as response:
            assert response.status == 200
            await other._take(response, None)
        return other.entries

    async def _visit(self):
        async with self._ask() as response:
            if response.status in LATER:
                await asyncio.sleep(0.1)
                return
            assert response.status == 200, (self.name, response.status, self.last, await response.text())
            await self._take(response, None if self._stays else self._dice.randrange(3, 20))

    def _ask(self):
        if self.last is None:  # also where an answer was lost on its way: the gateway knows the id
            return self._session.post(
                f"{self._url}/generate_stream", json={"inputs": self.name}, headers={"x-stream-id": self.name}
            )
        return self._session.get(
            f"{self._url}/generate_stream/{self.name}/stream", headers={"last-event-id": self.last}
        )

    async def _take(self, response, turn):
        """Read whole events: so many, or to the end of the response."""
        event = b""
        async for line in response.content:
            event += line
            if line != b"\n":
                continue
            if event.startswith(b"id:"):
                self._add(event)
                turn = turn and turn - 1
            event = b""
            if turn == 0:
                return

    def _add(self, event):
        first, _, data = event.partition(b"\n")
        epoch, seq = parse_position(first.decode().removeprefix("id:").strip())
        message = json.loads(data.partition(b"data:")[2])
        if "error" in message:
            self.told = "failed"
        elif message.get("generated_text") is not None:
            self.told = "finished"
        end = ("lost" if seq == 0 else self.told) if self.told else None
        self.entries.append(LogEntry(epoch, seq, data, end))
        self.begun.set()
