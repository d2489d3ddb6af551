"""An HTTP call as both transports make it, and how the chunks of its answer become batches."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import SplitResult, urlsplit

import attrs
import msgspec

from streamkit.errors import ConfigurationError, ConnectError, SourceError, StreamkitError, TruncatedStreamError
from streamkit.protocols import Batch, Format
from streamkit.request import Hangup, Tap
from streamkit.sources._answers import discreet, place
from streamkit.sources._credentials import LOOPBACK, HeaderSecret, PublicHeader, credentials, redact, redacted
from streamkit.sources._masked import MaskedTap
from streamkit.sources._patience import Patience
from streamkit.sources.timeouts import Timeouts

if TYPE_CHECKING:
    from ssl import SSLContext

SHORTEST_KEY: Final = 8
"""What is shorter, in characters, is no key."""

KEEP_ALIVE: Final = (
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    *(
        (socket.IPPROTO_TCP, getattr(socket, name), seconds)
        for name, seconds in (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 15))
        if hasattr(socket, name)  # not on every system
    ),
)
"""Options of each socket, so that a connection on which a model is silent for long is not forgotten on the way."""


@attrs.frozen(kw_only=True)
class Call:
    """One HTTP request.

    Args:
        method: `GET` or `POST`.
        url: Where it goes.
        headers: Its headers; a token in them is a `HeaderSecret`.
        body: Its JSON body, not yet encoded.
        timeouts: How long to wait for the answer.
        hangup: Wakes the reader when the consumer leaves from elsewhere.
        tap: Sees the bytes of the answer.
    """

    method: str
    url: str
    headers: Mapping[str, str] = attrs.field(repr=False)
    body: Mapping[str, Any] | None = attrs.field(default=None, repr=False)
    timeouts: Timeouts
    hangup: Hangup = attrs.field(factory=Hangup, eq=False, repr=False)
    tap: Tap | None = attrs.field(default=None, eq=False, repr=False)

    @property
    def place(self) -> str:
        """The URL as messages show it."""
        return place(self.url)

    def secrets(self) -> list[HeaderSecret]:
        """Return what must not be echoed, the longest first: the token, and the caller's headers that may be keys."""
        values: list[HeaderSecret] = []
        for name, value in self.headers.items():
            if name.lower() == "authorization":
                values += credentials(value)
            elif isinstance(value, HeaderSecret) and not isinstance(value, PublicHeader) and len(value) >= SHORTEST_KEY:
                values.append(value)
        return sorted(values, key=len, reverse=True)

    def encoded(self) -> bytes | None:
        """Return the body as JSON bytes; see `encode`."""
        return None if self.body is None else encode(self.body)

    def proxy(self) -> str | None:
        """Return the proxy that the environment names for this URL; this machine itself is never reached by one.

        Raises:
            ConfigurationError: It is not an HTTP proxy, or no URL.
        """
        from urllib.request import getproxies, proxy_bypass

        parts = urlsplit(self.url)
        host = parts.hostname or ""
        proxies = getproxies()
        proxy = proxies.get(parts.scheme) or proxies.get("all")
        if not proxy or host in LOOPBACK or proxy_bypass(host):
            return None
        scheme, mark, _ = proxy.partition("://")
        if not mark:
            scheme, proxy = "http", f"http://{proxy}"
        if scheme.lower() not in ("http", "https"):
            raise ConfigurationError(
                f"the environment names a {scheme} proxy for {parts.scheme} URLs, and only HTTP proxies are spoken to: "
                f"set {parts.scheme}_proxy to one, or no_proxy={host}"
            )
        if split(proxy) is None:  # which is not shown: it may hold a password
            raise ConfigurationError(
                f"the proxy that the environment names for {parts.scheme} URLs has no host, or a host or a port that "
                f"is none: write {parts.scheme}_proxy as http://host:port, and a # in a password as %23"
            )
        return HeaderSecret(proxy)


def split(url: str) -> SplitResult | None:
    """Return the parts of a URL with a host; `None` if it is none, or if two readers might see two hosts in it."""
    # urllib3 ends a host at a backslash, `urlsplit` does not, and so `https://evil\\.huggingface.co` would be given the
    # token of one and be sent to the other.
    if "\\" in url or any(each.isspace() or not each.isprintable() for each in url):
        return None
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - raises for a port that is none
        return parts if (parts.hostname or "").encode("idna") else None
    except ValueError:
        return None


def encode(body: Mapping[str, Any]) -> bytes:
    """Return a body as JSON bytes.

    Raises:
        ConfigurationError: There is something in it that JSON cannot say.
    """
    try:
        return msgspec.json.encode(body)
    except (TypeError, ValueError, RecursionError) as error:
        raise ConfigurationError(f"the request cannot be written as JSON: {describe(error)}") from None


def headers_for(authorization: Mapping[str, str], extra: Mapping[str, str], *, accept: str) -> dict[str, str]:
    """Return the headers of a call; the caller's own win, however they write the names."""
    from importlib.metadata import version

    ours = {
        "Accept": accept,
        "Accept-Encoding": "identity",  # a compressed stream arrives in lumps
        "Content-Type": "application/json",
        "User-Agent": f"streamkit/{version('streamkit-hf')}",
        **authorization,
    }
    theirs = {name.lower() for name in extra}
    return {name: value for name, value in ours.items() if name.lower() not in theirs} | dict(extra)


@cache
def tls() -> SSLContext:
    """Return the process's TLS settings; loading the certificates takes 20 ms, so it is done once."""
    from ssl import create_default_context

    return create_default_context()


class Reading:
    """The state of reading one answer's body: decoder, deadlines and how it may end.

    1. `feed` returns the events of a chunk. While the consumer has them, no deadline but the last one runs.
    2. `go_on` follows, when the consumer comes back: it raises what is wrong, and sets the next deadline.
    3. `broken` and `ended` give the last batch, or raise; an answer that had said it was finished is complete,
       however its connection ended.

    Args:
        call: What was asked; its token is taken out of every error.
        answer_format: The format of the answer.
        patience: The deadlines.
    """

    __slots__ = ("_call", "_decoder", "_patience", "_secrets", "_tap")

    def __init__(self, call: Call, answer_format: Format, patience: Patience) -> None:
        self._call = call
        self._decoder = answer_format.decoder()
        self._patience = patience
        self._secrets = call.secrets()
        self._tap = None if call.tap is None else MaskedTap(call.tap, self._secrets)
        if self._tap is not None:
            self._tap.start(answer_format)

    def feed(self, chunk: bytes) -> Batch:
        """Decode a chunk."""
        if self._tap is not None:
            self._tap.chunk(chunk)
        events = self._decoder.feed(chunk)
        if events:
            self._patience.pause()
        return discreet(events, self._secrets)

    def go_on(self, batch: Batch) -> None:
        """Wait for the next chunk; only what carried part of the answer moves the deadline.

        Raises:
            StreamkitError: The decoder found something wrong.
        """
        self._check()
        if self._decoder.complete:
            self._patience.answer_finished()
        elif batch:
            self._patience.token_came()

    def ended(self) -> Iterator[Batch]:
        """Yield the last batch of a body that ended as it should."""
        self._finish_tap()
        yield discreet(self._decoder.flush(), self._secrets)
        self._check()

    def broken(self, error: Exception) -> Iterator[Batch]:
        """Yield the last batch of a body that broke off, or raise why it did."""
        self._finish_tap()
        events = self._decoder.flush(clean=False)
        if not self._decoder.complete:
            failure = cut_off(self._call, error)
            raise failure from failure.__cause__
        yield discreet(events, self._secrets)

    def _finish_tap(self) -> None:
        if self._tap is not None:
            self._tap.finish()

    def _check(self) -> None:
        if self._decoder.error is not None:
            raise redacted(self._decoder.error, self._secrets)


def cut_off(call: Call, error: Exception) -> StreamkitError:
    """Return the error of an answer that broke off: a deadline's own, or that it is truncated."""
    if isinstance(error, StreamkitError):
        return error.with_traceback(None)
    secrets = call.secrets()
    reason = redact(describe(error), secrets)
    truncated = TruncatedStreamError(
        f"the connection to {call.place} broke before the answer was finished ({reason}); the text so far is in this "
        "error's .result"
    )
    # A transport's error may repeat bytes of the server, and with them the token.
    echoes = any(secret in str(each) for each in _chain(error) for secret in secrets)
    truncated.__cause__ = None if echoes else bare(error)
    return truncated


def unreachable(call: Call, error: Exception) -> SourceError:
    """Return the error of a connection that could not be made."""
    reason = redact(_reason(error), call.secrets())
    lowered = reason.lower()
    parts = urlsplit(call.url)
    tls_failed = "certificate" in lowered or "SSL" in type(error).__name__
    if "Proxy" in type(error).__name__ or "tunnel connection failed" in lowered:
        hint = f"the environment's proxy refused: check {parts.scheme}_proxy, or set no_proxy={parts.hostname}"
    elif tls_failed:
        hint = "the server's TLS certificate was not accepted" if "certificate" in lowered else "TLS failed"
    elif "resol" in lowered or "name or service" in lowered or "nodename" in lowered or "getaddrinfo" in lowered:
        hint = "no such host: check the URL, and that this machine is online"
    else:
        hint = "check the URL and that the server runs"
    return ConnectError(f"no connection to {call.place}: {hint} ({reason})", transient=not tls_failed)


def _reason(error: Exception) -> str:
    """Return what the operating system or TLS said; the clients' own words name their objects and settings."""
    from ssl import SSLError

    if status := getattr(error, "status", None):  # of a proxy, whose URL with its password aiohttp adds
        return f"Tunnel connection failed: {status} {getattr(error, 'message', '')}".rstrip()
    error = getattr(error, "original_error", error)  # urllib3's own, of a proxy
    said = getattr(error, "os_error", None) or getattr(error, "certificate_error", None) or error.__cause__ or error
    if isinstance(said, OSError) and not isinstance(said, SSLError) and said.errno:
        return os.strerror(said.errno) if said.errno > 0 else said.strerror or describe(said)
    return describe(said)


def describe(error: BaseException) -> str:
    """Return a transport error as one short line."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 200 else text[:199] + "…"


def bare(error: BaseException) -> BaseException:
    """Strip the tracebacks of a transport's error: their frames hold the headers, and with them the token."""
    for each in _chain(error):
        each.__traceback__ = None
    return error


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and what led to it."""
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = seen.__cause__ or seen.__context__
