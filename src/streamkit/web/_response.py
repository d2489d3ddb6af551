"""What the responses of all frameworks have in common: what they are made of, and their headers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypedDict

import attrs

from streamkit.drivers.asynchronous import AsyncStream
from streamkit.drivers.sync import Stream
from streamkit.errors import ConfigurationError
from streamkit.protocols import Encoder
from streamkit.web._answer import Answer

AnyStream = Stream | AsyncStream

_AGAINST_BUFFERING: Final = {"cache-control": "no-cache, no-transform", "x-accel-buffering": "no"}
"""`no-transform` keeps proxies from compressing, which buffers; nginx takes `x-accel-buffering` as an order."""


class Options(TypedDict, total=False):
    """What can be set for every response.

    Args:
        headers: Headers of the application's own; they win over those of the protocol.
        keep_alive: Seconds of silence after which a comment is sent, in formats that have comments; 15 by default.
        send_timeout: Seconds that a client may take nothing while a run waits for it, before the run is ended; 60 by
            default.
    """

    headers: Mapping[str, str]
    keep_alive: float
    send_timeout: float


def _stream(given: Any) -> AnyStream:
    if isinstance(given, Stream | AsyncStream):
        return given
    if hasattr(given, "astream"):
        raise ConfigurationError(
            f"{given!r} has not been asked anything: pass pipeline.astream(question), or .stream(question)"
        )
    raise ConfigurationError(
        f"{given!r} is not a stream: make one with pipeline.astream(question), or .stream(question)"
    )


@attrs.frozen(kw_only=True)
class Setup:
    """How one response is made.

    Args:
        stream: What to read.
        keep_alive: Seconds of silence after which to say so.
        send_timeout: Seconds that a client may take nothing.
        pings: Whether the format has a word for silence.
    """

    stream: AnyStream = attrs.field(converter=_stream)
    keep_alive: float = attrs.field(default=15.0, validator=attrs.validators.gt(0))
    send_timeout: float = attrs.field(default=60.0, validator=attrs.validators.gt(0))
    pings: bool


class ResponseBase:
    """Base of every response: what it will say, and the head of it.

    Args:
        stream: What to send, from `pipeline.astream(...)` or `pipeline.stream(...)`; nothing is asked before the
            response is sent.
        encoder: Writes the format.
        options: See `Options`.

    Raises:
        ConfigurationError: `stream` is none, or a header has a line end.
    """

    def __init__(self, stream: AnyStream, encoder: Encoder, **options: Any) -> None:
        headers = options.pop("headers", None) or {}
        self._setup = Setup(stream=stream, pings=bool(encoder.keep_alive), **options)
        self._answer = Answer(encoder)
        given = {name.lower(): value for name, value in headers.items()}
        for name, value in given.items():
            if any(character in name + value for character in "\r\n\0"):
                raise ConfigurationError(f"the header {name!r} has a line end in it, which would end the head there")
        self._set_head(_AGAINST_BUFFERING | dict(encoder.headers) | given)

    def _set_head(self, headers: dict[str, str]) -> None:
        """Take the head of the response, names in lower case."""
        raise NotImplementedError
