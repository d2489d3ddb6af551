"""What a server's answer means before its first token: a stream to read, a whole answer, or a refusal."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

import attrs
import msgspec

from streamkit.errors import (
    AuthenticationError,
    FormatError,
    LimitExceededError,
    OverloadedError,
    RateLimitError,
    RequestError,
    SourceError,
    StreamkitError,
)
from streamkit.events import Finish
from streamkit.formats import decode_whole
from streamkit.protocols import Batch
from streamkit.sources._credentials import redact, redacted

BODY_LIMIT: Final = 64 * 1024
"""How much of an error body is read, in bytes."""
WHOLE_LIMIT: Final = 16 * 1024 * 1024
"""How large an answer that is not a stream may be, in bytes."""

_STREAMS: Final = (
    "text/event-stream",
    "application/x-ndjson",
    "application/jsonl",
    "text/plain",
    "application/octet-stream",
    "",
)


@attrs.frozen(kw_only=True, repr=False)
class Answer:
    """A small answer, read whole; its repr tells nothing, because a server may echo the token.

    Args:
        status: Its HTTP status.
        headers: Its headers, by lower-case names or case-insensitively.
        body: Its body.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes


def is_stream(content_type: str, url: str) -> bool:
    """Tell a stream from a whole JSON answer by the content type of a 200.

    Raises:
        FormatError: It is neither: a web page of a proxy, a captive portal, a wrong path.
    """
    media = content_type.partition(";")[0].strip().lower()
    if media in _STREAMS:
        return True
    if media == "application/json" or media.endswith("+json"):
        return False
    raise FormatError(
        f"{place(url)} answered with {media!r} where a stream was expected: is the URL an inference endpoint, and its "
        "path right?"
    )


def whole(body: bytes, url: str, secrets: Sequence[str]) -> Batch:
    """Read a 200 with a JSON body: an error, or the whole answer at once.

    Args:
        body: The response's body.
        url: Where the request went.
        secrets: What must not appear in an error or in the finish reason, even if the server echoes it.

    Raises:
        GenerationError: It is an error.
        FormatError: It is neither.
        LimitExceededError: It is larger than `WHOLE_LIMIT`.
    """
    if len(body) >= WHOLE_LIMIT:
        raise LimitExceededError(f"{place(url)} sent a whole answer of {WHOLE_LIMIT} bytes or more instead of a stream")
    try:
        return discreet(decode_whole(body), secrets)
    except StreamkitError as error:
        del body  # nor may it be seen in the frames of the traceback
        raise redacted(error.with_traceback(None), secrets) from None


def discreet(events: Batch, secrets: Sequence[str]) -> Batch:
    """Take secrets that a server echoed out of its own word for why it ended, which results and logs show."""
    if events and type(last := events[-1]) is Finish and last.raw_reason:
        return [*events[:-1], attrs.evolve(last, raw_reason=redact(last.raw_reason, secrets))]
    return events


def refusal(status: int, headers: Mapping[str, str], body: bytes, url: str, secrets: Sequence[str]) -> SourceError:
    """Return the error that an HTTP status other than 200 stands for.

    Args:
        status: The status.
        headers: The response's headers, by lower-case names or case-insensitively.
        body: The start of the response's body.
        url: Where the request went.
        secrets: What must not appear in the message, even if the server echoes it.
    """
    said = _message(body, secrets)
    what = f"{place(url)} answered {status}" + (f": {said}" if said else "")
    wait = _retry_after(headers, body)
    if status in (401, 403):
        return AuthenticationError(f"{what} (check the token, and that it may use this model)", status=status)
    if status == 429:
        return RateLimitError(
            f"{what} (too many requests: wait, or ask for fewer at once)",
            status=status,
            retry_after=wait,
            transient=True,
        )
    if status >= 500 or status == 408:
        hint = "the model is loading or the server is overloaded: try again later"
        return OverloadedError(
            f"{what} ({hint})", status=status, retry_after=wait, transient=status in (408, 502, 503, 504)
        )
    if 300 <= status < 400:
        target = _host(headers.get("location", "")) or "elsewhere"
        return RequestError(
            f"{what}: it redirects to {target}, and a prompt is not sent on: use that URL", status=status
        )
    if status == 404:
        return RequestError(f"{what} (no such path or model there: check the URL, api= and model=)", status=status)
    return RequestError(what, status=status)


def place(url: str) -> str:
    """Return the part of a URL that may be shown: no user, no query."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _host(url: str) -> str | None:
    with contextlib.suppress(ValueError):
        return urlsplit(url).hostname
    return None


def _json(body: bytes) -> Any:
    with contextlib.suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return msgspec.json.decode(body)
    return None


def _message(body: bytes, secrets: Sequence[str]) -> str:
    """Return what an error body says, from the shapes of TGI, vLLM, SGLang, llama.cpp, Ollama and web frameworks."""
    said = _json(body)
    for key in ("error", "message", "detail"):
        if isinstance(said, Mapping) and key in said:
            said = said[key]
    text = said if isinstance(said, str) else body.decode("utf-8", "replace") if said is None else str(said)
    if text.lstrip()[:1] == "<":
        return "a web page"
    text = redact("".join(each if each.isprintable() else " " for each in text), secrets)
    text = " ".join(text.split())
    return text if len(text) <= 300 else text[:299] + "…"


def _retry_after(headers: Mapping[str, str], body: bytes) -> float | None:
    """Return the seconds a server asks to wait: `Retry-After` in either form, or Hugging Face's `estimated_time`."""
    value = headers.get("retry-after")
    if value is not None:
        from email.utils import parsedate_to_datetime

        with contextlib.suppress(ValueError):
            if math.isfinite(seconds := float(value)):
                return max(0.0, seconds)
        with contextlib.suppress(ValueError, TypeError):
            return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    said = _json(body)
    estimate = said.get("estimated_time") if isinstance(said, Mapping) else None
    return max(0.0, float(estimate)) if isinstance(estimate, int | float) else None
