"""A request's body: read within its limits, and parsed without trust."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, TypeVar

import msgspec

from streamkit.web.gateway.refusals import RefusalError
from streamkit.web.gateway.settings import Limits

Receive = Callable[[], Awaitable[Any]]
Body = TypeVar("Body")

MAX_DEPTH: Final = 64
"""How deep arrays and objects may be nested."""

_STRINGS: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+"')
_BRACKETS: Final = re.compile(rb"[\[\]{}]")


class ClientGoneError(Exception):
    """The client left before its request was complete."""


async def read_body(receive: Receive, headers: Mapping[str, str], limits: Limits) -> bytes:
    """Read a body.

    Args:
        receive: ASGI's.
        headers: The request's.
        limits: Size and time.

    Raises:
        RefusalError: 413 it is too large, 408 it does not come.
        ClientGoneError: The client left.
    """
    too_large = RefusalError(
        f"The request's body is larger than {limits.body_bytes} bytes.", 413, {"connection": "close"}
    )
    length = headers.get("content-length", "")
    if length.isdecimal() and int(length[:20]) > limits.body_bytes:
        raise too_large
    body = bytearray()
    try:
        async with asyncio.timeout(limits.body_seconds):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise ClientGoneError
                body += message.get("body", b"")
                if len(body) > limits.body_bytes:
                    raise too_large
                if not message.get("more_body", False):
                    return bytes(body)
    except TimeoutError:
        message = f"The request's body did not arrive within {limits.body_seconds:g} s."
        raise RefusalError(message, 408, {"connection": "close"}) from None


def parse(body: bytes, shape: type[Body]) -> Body:
    """Parse a JSON body.

    Whatever the content type says: a page of another origin, which could only send text without asking first, has been
    refused by then.

    Args:
        body: The body.
        shape: What it must be; unknown fields are passed over.

    Raises:
        RefusalError: 400 it is not JSON, or too deep; 422 it is JSON of another shape.
    """
    try:
        parsed = msgspec.json.decode(body, type=shape)
    except msgspec.ValidationError as error:
        raise RefusalError(f"The request's body is not as it should be: {error}.", 422) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise RefusalError("The request's body is not JSON.", 400) from None
    _check_depth(body)
    return parsed


def _check_depth(body: bytes) -> None:
    """Refuse a body of JSON that is nested too deep."""
    if body.count(b"[") + body.count(b"{") <= MAX_DEPTH:
        return
    depth = 0
    for bracket in _BRACKETS.finditer(_STRINGS.sub(b"", body)):
        depth += 1 if bracket[0] in b"[{" else -1
        if depth > MAX_DEPTH:
            raise RefusalError(f"The request's body is nested deeper than {MAX_DEPTH}.", 400)
