"""Events and results as JSON, one object on one line."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from streamkit.events import Attempt, Event, Finish, Token, ToolCallDelta
from streamkit.formats._json import repair
from streamkit.request import Request
from streamkit.result import RunResult

_LINE_SEPARATORS = ((b"\xc2\x85", b"\\u0085"), (b"\xe2\x80\xa8", b"\\u2028"), (b"\xe2\x80\xa9", b"\\u2029"))
"""Characters that JSON allows in a string and `str.splitlines` takes for the end of a line; they become escapes."""

_NAMES: Final = {Token: "token", ToolCallDelta: "tool_call_delta", Finish: "finish", Attempt: "attempt"}


def _simplify(value: Any) -> Any:
    if isinstance(value, Exception):
        return {"type": type(value).__name__, "message": str(value)}
    return dict(value) if isinstance(value, Mapping) else repr(value)


_encoder = msgspec.json.Encoder(enc_hook=_simplify)


def event_name(event: Event) -> str:
    """Return the value of `type` in an event's object."""
    return _NAMES[type(event)]


def encode_object(value: Any, **tags: Any) -> bytes:
    """Encode an event, a result or a mapping as one JSON object without line breaks.

    Each field of the value is a member, with null for what is unknown, so objects of one kind all look alike.
    Exceptions become `{"type": ..., "message": ...}`, and what JSON has no form for becomes its `repr`. A lone
    surrogate, which has no bytes in UTF-8, becomes U+FFFD.

    Args:
        value: An attrs object or a mapping, with at least one field.
        tags: Members to put first.

    Returns:
        The object, in UTF-8.
    """
    encoded = _encode(tags)[:-1] + b"," + _encode(value)[1:] if tags else _encode(value)
    for character, escape in _LINE_SEPARATORS:
        encoded = encoded.replace(character, escape)
    return encoded


def encode_result(result: RunResult, **tags: Any) -> bytes:
    """Encode how a run ended as one JSON object on one line, line end included; the tags come first."""
    return encode_object(result, **tags) + b"\n"


def question_of(request: Request) -> dict[str, Any]:
    """Return what was asked, as the members of a result's object: `prompt` or `messages`."""
    return {"messages": request.messages} if request.prompt is None else {"prompt": request.prompt}


def _encode(value: Any) -> bytes:
    try:
        return _encoder.encode(value)
    except UnicodeEncodeError:
        return repair(json.dumps(msgspec.to_builtins(value, enc_hook=_simplify)).encode())
