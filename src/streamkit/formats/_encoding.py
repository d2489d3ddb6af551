"""What all encoders share: text as JSON, and what a client is told when an answer has no good end."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any, NoReturn

import attrs
import msgspec

from streamkit.errors import (
    ConfigurationError,
    GenerationError,
    OverloadedError,
    RateLimitError,
    RequestError,
    TruncatedStreamError,
)
from streamkit.protocols import Mask

if TYPE_CHECKING:
    from streamkit.result import RunResult

MASKED = "An error occurred."
STOPPED = "The answer was stopped before its end."

_encode = msgspec.json.Encoder().encode
_LINE_SEPARATORS = ((b"\xc2\x85", b"\\u0085"), (b"\xe2\x80\xa8", b"\\u2028"), (b"\xe2\x80\xa9", b"\\u2029"))
"""What JSON allows in a string and `str.splitlines` takes for the end of a line, as huggingface_hub's client does."""


def mask_error(error: Exception) -> str:  # noqa: ARG001 - the point is to tell nothing of it
    """Return what a client is told of any error: nothing, as a message may name hosts, models or prompts."""
    return MASKED


def quoted(text: str) -> bytes:
    """Return text as a JSON string on one line, whatever a reader takes for a line; lone surrogates become U+FFFD."""
    try:
        encoded = _encode(text)
    except UnicodeEncodeError:
        encoded = _encode(whole_characters(text))
    return encoded if text.isascii() else _on_one_line(encoded)


def whole_characters(text: str) -> str:
    """Return text that has a form in UTF-8: surrogates are paired, and a lone one becomes U+FFFD."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def json_of(value: Any) -> bytes:
    """Return a value of JSON's types as JSON on one line.

    Raises:
        TypeError: The value, or a part of it, has no form in JSON.
    """
    try:
        encoded = _encode(value)
    except UnicodeEncodeError:
        encoded = _encode(_sound(msgspec.to_builtins(value)))
    return _on_one_line(encoded)


@attrs.frozen
class Fault:
    """What a client is told of an answer without a good end.

    Args:
        message: In words; masked where it tells of an error.
        kind: In one of TGI's words for `error_type`: `validation`, `overloaded`, `generation`, `incomplete_generation`.
    """

    message: str
    kind: str


def fault_of(result: RunResult, mask: Mask) -> Fault | None:
    """Return what to tell of how a run ended; `None` if the answer is complete."""
    if result.outcome == "aborted":
        return Fault(STOPPED, "incomplete_generation")
    if result.outcome == "failed" or result.finish_reason == "error":
        error = result.error or GenerationError(f"the engine ended the answer with {result.raw_reason!r}")
        return Fault(mask(error), error_kind(error))
    return None


def error_kind(error: Exception) -> str:
    """Return an error's kind in one of TGI's words; they tell nothing that must be masked."""
    if isinstance(error, GenerationError):
        return error.kind if error.kind in {"validation", "overloaded"} else "generation"
    if isinstance(error, RequestError):
        return "validation"
    if isinstance(error, OverloadedError | RateLimitError):
        return "overloaded"
    return "incomplete_generation" if isinstance(error, TruncatedStreamError) else "generation"


def new_id(prefix: str) -> str:
    """Return an id that no other response has."""
    return prefix + secrets.token_hex(12)


class ReadOnly:
    """Base of a format that is only read: no client needs our answers in it."""

    __slots__ = ()

    def encoder(self, *, mask: Mask = mask_error) -> NoReturn:  # noqa: ARG002 - the shape of `Format.encoder`
        """Refuse: streams of this format are only read.

        Raises:
            ConfigurationError: Always.
        """
        raise ConfigurationError(f"{type(self).__name__} is a format to read; there is no encoder that writes it")


def _on_one_line(encoded: bytes) -> bytes:
    for character, escape in _LINE_SEPARATORS:
        encoded = encoded.replace(character, escape)
    return encoded


def _sound(value: Any) -> Any:
    """Return a value of JSON's types whose strings all have a form in UTF-8."""
    if isinstance(value, str):
        return whole_characters(value)
    if isinstance(value, dict):
        return {_sound(name): _sound(part) for name, part in value.items()}
    return [_sound(part) for part in value] if isinstance(value, list) else value
