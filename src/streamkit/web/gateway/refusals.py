"""What a request is refused with: an HTTP status and a sentence that the client may see."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from streamkit.errors import (
    ConnectError,
    FormatError,
    RateLimitError,
    RequestError,
    SourceError,
    StoreError,
    StreamTimeoutError,
)
from streamkit.formats._encoding import error_kind
from streamkit.web._statuses import Refusal, refusal

BUSY_SECONDS = 1
"""What a client is told to wait when the gateway is busy."""


class RefusalError(RequestError):
    """The gateway itself refuses a request; the message is for the client.

    Attributes:
        headers: Further headers of the response.
    """

    def __init__(self, message: str, status: int, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message, status=status)
        self.headers = dict(headers or {})


class BusyError(RateLimitError):
    """Too much is being asked of the gateway at once; the message is for the client."""

    def __init__(self, message: str) -> None:
        super().__init__(message, status=429, retry_after=BUSY_SECONDS, transient=True)


_SENTENCES: Final = {
    ConnectError: "The model's server cannot be reached.",
    StreamTimeoutError: "The model's server did not answer in time.",
    StoreError: "The store of resumable answers failed.",
}
"""What is told of errors that are of one kind whatever caused them."""


def told(error: Exception) -> str:
    """Return what a client is told of an error.

    The gateway's own sentences are written for it. Those of others may name hosts, models and files of the operator,
    so their kind alone is told; the log has more.
    """
    if isinstance(error, RefusalError | BusyError):
        return str(error)
    for each, sentence in _SENTENCES.items():
        if isinstance(error, each):
            return sentence
    kind = error_kind(error)
    if kind == "overloaded":
        return "The model is overloaded: try again later."
    if kind == "validation":
        return "The model's server refused the request: a parameter is out of range, or the prompt is too long."
    return "The model's server failed." if isinstance(error, SourceError | FormatError) else "An error occurred."


def response_to(error: Exception, content_type: str, body: bytes) -> Refusal:
    """Return the response that refuses a request, whose body the client's protocol has written."""
    response = refusal(error, content_type, body)
    if isinstance(error, RefusalError):
        return Refusal(status=error.status or 400, headers={**response.headers, **error.headers}, body=body)
    return response
