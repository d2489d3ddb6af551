"""What goes wrong, sorted by whose fault it is.

    StreamkitError
    ├── ConfigurationError            the caller: an impossible setting, found before the question is sent
    ├── SourceError                   the model's side
    │   ├── ConnectError              no connection: refused, unknown host, TLS
    │   ├── AuthenticationError       401, 403
    │   ├── RequestError              another 4xx: the server understood and refused the request
    │   ├── RateLimitError            429
    │   ├── OverloadedError           5xx before the stream: loading, scaled to zero, overloaded
    │   ├── StreamTimeoutError        nothing came for too long
    │   ├── GenerationError           the engine reported an error inside the stream
    │   └── TruncatedStreamError      the stream ended without its protocol's end
    ├── FormatError                   bytes that are not the protocol they claim to be
    │   └── LimitExceededError        a line or event larger than the bound
    ├── SinkError                     the destination: a sink raised
    ├── StoreError                    where resumable streams are kept
    │   ├── StreamGoneError           what a reader asks for is not kept, or not any more
    │   ├── StreamRunningError        a run under the same id goes on
    │   └── FencedError               this run was declared dead; another may have its place
    └── PluginError                   third-party code: a part or a plugin broke its contract
        └── PluginLoadError           an installed plugin could not be imported

Each message says what happened, to what, and what to do next. An error that ended a run carries the run's partial
result in `.result`.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from streamkit.result import RunResult


class StreamkitError(Exception):
    """Base of every error this library raises on purpose.

    Attributes:
        result: The partial `RunResult` of the run that this error ended; `None` if no run had started.
    """

    result: RunResult | None = None


class ConfigurationError(StreamkitError, ValueError):
    """A setting cannot work; raised before the question is sent."""


class SourceError(StreamkitError):
    """The model's side failed.

    Attributes:
        status: HTTP status, when an HTTP response was involved.
        retry_after: Seconds the server asked to wait, when it said so.
        transient: Whether the same request may succeed a little later.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        retry_after: float | None = None,
        transient: bool = False,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after = retry_after
        self.transient = transient


class ConnectError(SourceError):
    """No connection to the server could be made."""


class AuthenticationError(SourceError):
    """The server refused the token (401) or what it may do (403)."""


class RequestError(SourceError):
    """The server refused the request itself (a 4xx other than 401, 403, 429)."""


class RateLimitError(SourceError):
    """Too many requests (429)."""


class OverloadedError(SourceError):
    """The server cannot answer now: loading, scaled to zero, or overloaded (5xx)."""


class StreamTimeoutError(SourceError):
    """Nothing arrived within the time allowed."""


class GenerationError(SourceError):
    """The engine reported an error inside the stream.

    Attributes:
        kind: The engine's word for it: `validation`, `generation`, `overloaded`, ...
    """

    def __init__(self, message: str, *, kind: str = "server", status: int | None = None) -> None:
        super().__init__(message, status=status, transient=kind == "overloaded")
        self.kind = kind


class TruncatedStreamError(SourceError):
    """The stream ended without its protocol's end; the text so far is in `.result.text`."""


class FormatError(StreamkitError):
    """The bytes received are not the protocol they should be."""


class LimitExceededError(FormatError):
    """A line, event or body was larger than the bound set for it."""


class SinkError(StreamkitError):
    """A sink raised while it was written to or closed; the cause is chained."""


class StoreError(StreamkitError):
    """The store of resumable streams failed."""


class StreamGoneError(StoreError):
    """A stream, or the place in it that a reader asks for, is not kept, or not any more."""


class StreamRunningError(StoreError):
    """A run under the same id goes on; read it, or stop it first."""


class FencedError(StoreError):
    """This run was silent for so long that it was declared dead: what it says is not wanted any more."""


class PluginError(StreamkitError):
    """Third-party code (a source, a transform, a hook, a plugin) broke its contract; the cause is chained."""


class PluginLoadError(PluginError):
    """An installed plugin could not be loaded; the cause is chained.

    Attributes:
        distribution: The distribution that installed it.
        entry_point: Its name in the entry-point group `streamkit`.
    """

    def __init__(self, message: str, *, distribution: str, entry_point: str) -> None:
        super().__init__(message)
        self.distribution = distribution
        self.entry_point = entry_point

    def __reduce__(self) -> tuple[object, ...]:
        again = partial(type(self), distribution=self.distribution, entry_point=self.entry_point)
        return again, self.args, self.__dict__
