"""Answers with a status, a page or a redirect where a stream was asked for."""

from __future__ import annotations

from collections.abc import Iterator
from email.utils import formatdate
from time import time
from typing import Any

import attrs

from streamkit.testing.emulator.acts import Act, End, Filler, Start, acts_of
from streamkit.testing.emulator.answers import Response
from streamkit.testing.emulator.fault import Fault
from streamkit.testing.emulator.seen import SeenRequest
from streamkit.testing.faults._shapes import Instead

PAGE = "<!DOCTYPE html><html><title>Sign in</title><p>Please sign in to the network.</p></html>"
"""What a captive portal says."""


@attrs.frozen
class _Refusal(Fault):
    status: int
    error: str
    more: tuple[str, Any] | None = attrs.field(default=None, kw_only=True)
    retry_after: float | None = attrs.field(default=None, kw_only=True)
    as_date: bool = attrs.field(default=False, kw_only=True)
    echoes: bool = attrs.field(default=False, kw_only=True)

    def play(self, acts: Iterator[Act], seen: SeenRequest) -> Iterator[Act]:  # noqa: ARG002 - the shape of a fault
        echo = f" (you sent {seen.headers.get('Authorization', 'nothing')})" if self.echoes else ""
        document = {"error": self.error + echo, **dict([self.more] if self.more else [])}
        return acts_of(Response.json(document, self.status, self._headers()))

    def _headers(self) -> dict[str, str]:
        if self.retry_after is None:
            return {}
        # A date has whole seconds, and must not lie before what is meant.
        told = formatdate(time() + self.retry_after + 0.999, usegmt=True) if self.as_date else f"{self.retry_after:g}"
        return {"Retry-After": told}


def s401() -> Fault:
    """401, and the message repeats the token that was sent."""
    return _Refusal(401, "Invalid credentials", echoes=True)


def s403() -> Fault:
    """403, and the message repeats the token that was sent."""
    return _Refusal(403, "This token may not use this model", echoes=True)


def s404() -> Fault:
    """404: no such model."""
    return _Refusal(404, "Model not found")


def s408() -> Fault:
    """408: the server did not get the request in time."""
    return _Refusal(408, "Request timeout")


def s422(message: str = "inputs must have less than 4096 tokens") -> Fault:
    """422: the request is understood and refused.

    Args:
        message: Why.
    """
    return _Refusal(422, message, more=("error_type", "validation"))


def s429(seconds: float = 1.0) -> Fault:
    """429 with `Retry-After` in seconds.

    Args:
        seconds: How many.
    """
    return _Refusal(429, "Too many requests", retry_after=seconds)


def s429date(seconds: float = 1.0) -> Fault:
    """429 with `Retry-After` as a date.

    Args:
        seconds: How far off it is; a date has whole seconds, so it may be up to one more.
    """
    return _Refusal(429, "Too many requests", retry_after=seconds, as_date=True)


def s500() -> Fault:
    """500: a bug of the server."""
    return _Refusal(500, "Internal server error")


def s502() -> Fault:
    """502: a gateway that does not reach its server."""
    return _Refusal(502, "Bad gateway")


def s503(estimated_time: float = 20.0) -> Fault:
    """503: the model is loading, as Hugging Face says it.

    Args:
        estimated_time: Seconds until it may be loaded.
    """
    return _Refusal(503, "Model is currently loading", more=("estimated_time", estimated_time))


def s504() -> Fault:
    """504: a gateway that waited too long."""
    return _Refusal(504, "Gateway timeout")


def html200() -> Fault:
    """200 with a web page, as a captive portal or a login wall answers."""
    return Instead(tuple(acts_of(Response(body=PAGE, content_type="text/html; charset=utf-8"))))


def empty200() -> Fault:
    """200 and an event stream without anything in it."""
    return Instead((Start(headers={"Content-Type": "text/event-stream"}), End()))


def bigerr(size: int = 64 * 2**20) -> Fault:
    """500 with a very long body.

    Args:
        size: Its length, in bytes.
    """
    return Instead((Start(status=500, headers={"Content-Type": "text/plain"}), Filler(size), End()))


@attrs.frozen
class _Redirect(Fault):
    status: int
    to: str

    def play(self, acts: Iterator[Act], seen: SeenRequest) -> Iterator[Act]:  # noqa: ARG002 - the shape of a fault
        port = seen.headers.get("Host", "").rpartition(":")[2]
        location = self.to.format(port=port) + seen.path
        return acts_of(Response(status=self.status, headers={"Location": location}, content_type=None))


def redir_host(to: str = "http://localhost:{port}") -> Fault:
    """307 to another host.

    Args:
        to: The other origin; by default the same server by its other name.
    """
    return _Redirect(307, to)


def redir_port(to: str = "http://127.0.0.1:1") -> Fault:
    """307 to another port.

    Args:
        to: The other origin; by default a port where nobody listens.
    """
    return _Redirect(307, to)


def redir_302(to: str = "") -> Fault:
    """302, which turns a POST into a GET in most clients.

    Args:
        to: The other origin; by default the same.
    """
    return _Redirect(302, to)


def redir_loop() -> Fault:
    """307 to the very same URL."""
    return _Redirect(307, "")
