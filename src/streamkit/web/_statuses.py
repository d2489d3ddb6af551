"""Which HTTP status an error has that comes before the first byte."""

from __future__ import annotations

from typing import Final

import attrs

from streamkit.errors import (
    FormatError,
    GenerationError,
    RateLimitError,
    RequestError,
    SourceError,
    StoreError,
    StreamTimeoutError,
)

_CALLERS_FAULT: Final = frozenset({400, 413, 422})
"""What a model server says of the question itself; its other 4xx are about the server that asked, which is us."""

_TGIS_STATUSES: Final = {"validation": 422, "overloaded": 429}
"""What TGI answers where it does not stream; in a stream it reports the same after a 200 (router/src/lib.rs)."""


@attrs.frozen(kw_only=True)
class Refusal:
    """A response that is an error.

    Args:
        status: HTTP status.
        headers: Headers to set, names in lower case.
        body: The whole body.
    """

    status: int
    headers: dict[str, str]
    body: bytes


def status_of(error: Exception) -> int:
    """Return the status that tells a client whose fault an error is.

    The model's side and the store are behind a gateway here, so their failures are 502, also where one is overloaded:
    a 503 would make `@huggingface/inference` repeat the request at once, and without end.
    """
    if isinstance(error, RequestError) and error.status in _CALLERS_FAULT:
        return error.status
    if isinstance(error, GenerationError) and error.kind in _TGIS_STATUSES:
        return _TGIS_STATUSES[error.kind]
    if isinstance(error, RateLimitError):
        return 429
    if isinstance(error, StreamTimeoutError):
        return 504
    return 502 if isinstance(error, SourceError | FormatError | StoreError) else 500


def refusal(error: Exception, content_type: str, body: bytes) -> Refusal:
    """Return the response for an error whose body an encoder wrote."""
    headers = {"content-type": content_type, "content-length": str(len(body)), "cache-control": "no-store"}
    retry_after = error.retry_after if isinstance(error, SourceError) else None
    if retry_after is not None:
        headers["retry-after"] = str(max(0, -int(-retry_after // 1)))
    return Refusal(status=status_of(error), headers=headers, body=body)
