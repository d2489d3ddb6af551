"""Answers that outlive their requests: kept under an id, read again from anywhere, and stopped by a request of its own.

A request names the id: the AI SDK's chats have one in their body, any other client sends `x-stream-id`. A request
without an id is answered as ever, and its run ends when the client leaves.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal, TypeAlias

import attrs
import msgspec

from streamkit.errors import StreamGoneError
from streamkit.web.gateway.asked import Asked
from streamkit.web.gateway.exchange import JSON, Exchange
from streamkit.web.gateway.refusals import RefusalError
from streamkit.web.gateway.routes import ANSWERS
from streamkit.web.resumable import ResumableRuns
from streamkit.web.resumable.asgi import Receive, respond

Action: TypeAlias = Literal["stream", "stop"]

METHODS: Final[Mapping[Action, str]] = {"stream": "GET", "stop": "POST"}
"""What can be asked of a stream that is kept, at `ROUTE/ID/stream` and `ROUTE/ID/stop`."""

LONGEST: Final = 100
"""Characters of an id."""

RESUMABLE: Final = tuple(path for path in ANSWERS if path not in {"/", "/generate"})
"""Routes that stream; what is asked on `/` is kept under `/generate_stream`."""


@attrs.frozen
class Place:
    """Where a stream is kept, and what is asked of it.

    Args:
        route: The route that answered.
        id: The client's id.
        action: What is asked.
    """

    route: str
    id: str
    action: Action


def place_of(path: str) -> Place | None:
    """Read the path of a request; an id may have slashes in it, as the AI SDK's may."""
    for route in RESUMABLE:
        for action in METHODS:
            before, after = f"{route}/", f"/{action}"
            if path.startswith(before) and path.endswith(after) and len(path) > len(before) + len(after):
                return Place(route, path[len(before) : -len(after)], action)
    return None


def key_of(owner: str | None, route: str, stream_id: str) -> str:
    """Return the id by which the store knows a stream: each key's owner has ids of its own, and so has each route.

    Raises:
        RefusalError: The id is too long.
    """
    if len(stream_id) > LONGEST:
        raise RefusalError(f"The id of a stream has at most {LONGEST} characters.", 422)
    return f"{owner} {'/generate_stream' if route == '/' else route} {stream_id}"


def id_of(asked: Asked, headers: Mapping[str, str]) -> str | None:
    """Return the id under which an answer is to be kept, if it is."""
    return asked.stream_id or headers.get("x-stream-id") or None


async def answer(runs: ResumableRuns, exchange: Exchange, receive: Receive, last: str | None, place: Place) -> None:
    """Read a stream that is kept, or stop it.

    Args:
        runs: The runs of this process.
        exchange: The request.
        receive: ASGI's.
        last: What the client sent as `Last-Event-ID`.
        place: The stream.

    Raises:
        RefusalError: It is not kept, or not from there on.
    """
    key = key_of(exchange.owner, place.route, place.id)
    if place.action == "stop":
        document: Any = {"state": await runs.stop(key)}
        await exchange.respond(200, JSON, msgspec.json.encode(document))
        return
    try:
        reader = await runs.read(key, last)
    except StreamGoneError as error:
        if place.route.startswith("/api/"):  # the AI SDK's word for it; anything else is an error to its client
            await exchange.respond(204, "", b"")
            return
        raise RefusalError("This stream is not kept any more, or not from that event on.", 410) from error
    if reader.ended:  # by 204, an EventSource is told not to come back
        await exchange.respond(204, "", b"")
        return
    await respond(reader, exchange.headers, receive, exchange.send)
