"""JSON as engines really send it: what to do when the strict decoder refuses an event."""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec

UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What a msgspec decoder raises for bytes it cannot take."""

_LONE_SURROGATES = re.compile("[\ud800-\udfff]")


def repair(payload: bytes) -> bytes:
    """Rewrite almost-JSON as JSON; called only after the strict decoder failed.

    Bytes outside UTF-8 and lone surrogate escapes become U+FFFD, control characters inside strings become escapes,
    and `NaN` and `Infinity`, which Python servers write for log-probabilities, become null.

    Args:
        payload: The bytes of one event.

    Returns:
        The same value in strict JSON.

    Raises:
        ValueError: The bytes are not JSON even so.
        RecursionError: The value is nested too deeply.
    """
    value = json.loads(payload.decode("utf-8", "replace"), strict=False, parse_constant=lambda _: None)
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return _LONE_SURROGATES.sub("\ufffd", text).encode()


def read_any(payload: bytes) -> Any:
    """Decode a JSON value of any shape.

    Raises:
        ValueError: The bytes are not JSON.
        RecursionError: The value is nested too deeply.
    """
    try:
        return msgspec.json.decode(payload)
    except UNREADABLE:
        return msgspec.json.decode(repair(payload))


def excerpt(payload: bytes, limit: int = 80) -> str:
    """Return the start of a payload for an error message: one line, escaped, at most `limit` characters."""
    text = repr(payload[:limit].decode("utf-8", "replace"))
    return text if len(text) <= limit and len(payload) <= limit else text[: limit - 3] + "..."
