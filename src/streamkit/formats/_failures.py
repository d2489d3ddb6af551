"""Errors that engines report inside a stream, in all their shapes, as one `GenerationError`.

{"error": "...", "error_type": "..."}                     TGI, native routes
{"error": {"message": ..., "http_status_code": 422}}      TGI, OpenAI routes
{"error": {"message": ..., "type": ..., "code": ...}}     vLLM, SGLang, llama.cpp, OpenAI
{"object": "error", "message": ..., "code": ...}          vLLM before 0.10, SGLang
{"error": "..."}                                          Ollama
{"detail": ...}  {"message": "..."}                       gateways and web frameworks
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from streamkit.errors import GenerationError
from streamkit.formats._json import excerpt, read_any

_KINDS = {
    "badrequesterror": "validation",
    "bad_request_error": "validation",
    "invalid_request_error": "validation",
    "exceed_context_size_error": "validation",
    "not_supported_error": "validation",
    "notfounderror": "validation",
    "not_found_error": "validation",
    "internalservererror": "server",
    "internal_server_error": "server",
    "server_error": "server",
    "api_error": "server",
    "overloaded_error": "overloaded",
    "unavailable_error": "overloaded",
    "serviceunavailableerror": "overloaded",
    "service_unavailable": "overloaded",
    "rate_limit_error": "overloaded",
    "ratelimiterror": "overloaded",
    "too_many_requests": "overloaded",
}
"""Words that engines put into `type`, lower-cased, in the words that TGI uses for `error_type`."""


def failure(payload: bytes) -> GenerationError | None:
    """Read an event that carries no part of an answer.

    Args:
        payload: JSON bytes.

    Returns:
        The error that the event reports; `None` if it reports none.
    """
    try:
        return failure_of(read_any(payload))
    except (ValueError, RecursionError):
        return None


def named_failure(payload: bytes) -> GenerationError:
    """Read an event that its framing calls an error, whatever is in it."""
    return failure(payload) or GenerationError(_plain(payload))


def failure_of(body: Any) -> GenerationError | None:
    """Return the error that a decoded JSON object reports; `None` if it reports none."""
    if not isinstance(body, Mapping):
        return None
    kind = body.get("error_type")
    error, detail, message = body.get("error"), body.get("detail"), body.get("message")
    report: GenerationError | None = None
    if isinstance(error, Mapping):
        report = _report(error, error.get("message"), kind)
    elif error is not None:
        report = _report(body, error, kind)
    elif body.get("object") == "error":
        report = _report(body, message, kind)
    elif detail and "choices" not in body:
        report = _report(body, detail, kind)
    elif message and isinstance(message, str) and "choices" not in body:
        report = _report(body, message, kind)
    return report


def _report(fields: Mapping[str, Any], message: Any, kind: Any) -> GenerationError:
    text = message if isinstance(message, str) and message else json.dumps(message or fields, ensure_ascii=False)
    codes = map(fields.get, ("http_status_code", "code", "status_code", "status"))
    status = next((code for code in codes if isinstance(code, int) and 400 <= code <= 599), None)
    if not (kind and isinstance(kind, str)):
        kind = _kind(fields.get("type"), status)
    return GenerationError(text, kind=kind, status=status)


def _kind(word: Any, status: int | None) -> str:
    if isinstance(word, str) and word:
        known = _KINDS.get(word.lower(), word if status is None else None)
        if known is not None:
            return known
    if status is None:
        return "server"
    if status in {429, 503, 529}:
        return "overloaded"
    return "validation" if status < 500 else "server"


def _plain(payload: bytes) -> str:
    try:
        value = read_any(payload)
    except (ValueError, RecursionError):
        value = payload.decode("utf-8", "replace")
    return value if isinstance(value, str) and len(value) <= 1000 else excerpt(payload)
