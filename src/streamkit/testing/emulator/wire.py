"""The server's end of a connection: the only part of the emulator that touches one."""

from __future__ import annotations

import asyncio
import math
import socket
import struct
from typing import Final

from aiohttp import web

from streamkit.testing.emulator.acts import Act, Comment, Cut, End, Filler, Message, Pause, Start, Turn
from streamkit.testing.emulator.engine import NAME
from streamkit.testing.emulator.pacing import Pacer, Turnstile
from streamkit.testing.emulator.seen import SeenRequest

PIECE: Final = b"x" * 2**16
"""What fillers are made of."""


class _Unframed(web.StreamResponse):
    """A response whose body ends where the connection does, as old proxies send it."""

    _length_check = False  # aiohttp's own switch for bodies that it does not frame


class Wire:
    """Performs the acts of one answer.

    Args:
        request: The request being answered.
        seen: Where it is recorded what was sent.
        pace: Seconds between two tokens.
        turnstile: Which tokens may go.

    Attributes:
        response: The response, once it has started.
    """

    def __init__(self, request: web.Request, seen: SeenRequest, pace: float, turnstile: Turnstile) -> None:
        self._request = request
        self._seen = seen
        self._pacer = Pacer(pace, turnstile)
        self._turns = 0
        self._ending = False
        self._events = True
        self.response: web.StreamResponse | None = None

    async def perform(self, act: Act) -> bool:
        """Perform one act.

        Returns:
            False if there is nothing to perform after it.
        """
        match act:
            case bytes() | Message() | Comment():
                await self._send(self._written(act))
            case Turn():
                await self._turn(act)
            case Start():
                await self._start(act)
            case Filler():
                for sent in range(0, act.size, len(PIECE)):
                    await self._send(PIECE[: act.size - sent])
            case Pause():
                await _pause(act.seconds)
            case End():
                await self._end()
                return False
            case Cut():
                self.cut(act.how)
                return False
        return True

    def cut(self, how: str = "fin") -> None:
        """Close the connection after what was sent, without ending the body."""
        transport = self._request.transport
        if transport is None:
            return
        if how == "rst":
            # Closing resets a connection that has nothing to linger for.
            linger = struct.pack("ii", 1, 0)
            transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            transport.abort()
        else:
            transport.close()

    def _written(self, act: bytes | Message | Comment) -> bytes:
        """Return an act in the framing of the answer."""
        if isinstance(act, bytes):
            return act
        if isinstance(act, Comment):
            return b":\n\n" if self._events else b"\n"
        if not self._events:
            return act.data + b"\n"
        name = b"event: %b\n" % act.name.encode() if act.name else b""
        return b"%bdata: %b\n\n" % (name, act.data)

    async def _start(self, act: Start) -> None:
        kind = _Unframed if act.unframed else web.StreamResponse
        response = kind(status=act.status, headers={"Server": f"{NAME} (not an inference engine)"})
        response.headers.update(act.headers)
        if act.unframed:
            response.force_close()
        self._events = "event-stream" in response.headers.get("Content-Type", "")
        self._seen.tokens_sent = self._turns
        self.response = response
        await response.prepare(self._request)

    async def _send(self, data: bytes) -> None:
        if self.response is not None:
            await self.response.write(data)

    async def _end(self) -> None:
        if self.response is not None:
            await self.response.write_eof()
            self._seen.answer_complete = self._ending

    async def _turn(self, act: Turn) -> None:
        patience, filler = act.keep_alive or (None, b"")
        while not await self._pacer.turn(act.step.token, patience):
            await self._send(filler)
        self._turns += 1
        self._ending = act.step.ending is not None
        if self.response is not None:
            self._seen.tokens_sent = self._turns


async def _pause(seconds: float) -> None:
    if seconds == math.inf:
        await asyncio.get_running_loop().create_future()  # until the client leaves
    else:
        await asyncio.sleep(seconds)
