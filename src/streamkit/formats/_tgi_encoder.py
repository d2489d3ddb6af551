"""Text Generation Inference's native stream, written (router/src/lib.rs, `StreamResponse`, `StreamDetails`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, Final

from streamkit.events import Event, FinishReason, Token
from streamkit.formats._encoding import Fault, error_kind, fault_of, json_of, quoted
from streamkit.formats._sse_writing import KEEP_ALIVE
from streamkit.protocols import Mask

if TYPE_CHECKING:
    from streamkit.result import RunResult

_EVENT: Final = b'data: {"index":%d,"token":{"id":%d,"text":%b,"logprob":%a,"special":%b},%b}\n\n'
_MORE: Final = b'"generated_text":null,"details":null'
_BOOLEANS: Final = (b"false", b"true")
_LOWEST: Final = -3.4e38
"""Log-probability of the impossible: JSON has no infinity, and TGI's own numbers are 32-bit floats."""

_REASONS: Final[Mapping[FinishReason, str]] = {"length": "length", "stop_sequence": "stop_sequence"}
"""TGI has three reasons; whatever else ends an answer well is the model's own decision, `eos_token`."""


class TgiEncoder:
    """The state of writing one native response.

    1. Holds back nothing, and keeps the visible text for `generated_text`.
    2. Releases each token of the answer in an event of its own. Other channels and tool calls have no place in this
       protocol. A token without id or log-probability gets zero for it: the fields are required, and no number.
    3. Ends with a special token without text, which carries `generated_text` and `details` as the end-of-sequence
       token does in TGI; or with an error, after which nothing follows.
    4. Costs one JSON string and one template per token.
    """

    __slots__ = ("_index", "_mask", "_said")

    headers: ClassVar[Mapping[str, str]] = {"content-type": "text/event-stream"}
    keep_alive: ClassVar[bytes] = KEEP_ALIVE

    def __init__(self, mask: Mask) -> None:
        self._mask = mask
        self._index = 0
        self._said: list[str] = []

    def begin(self) -> bytes:
        """Return nothing."""
        return b""

    def feed(self, event: Event) -> bytes:
        """Return the event of a token of the answer; one without text goes out if it has an id."""
        if type(event) is not Token or event.channel != "text" or not (event.text or event.id is not None):
            return b""
        self._index += 1
        if not event.special:
            self._said.append(event.text)
        logprob = event.logprob or 0.0
        return _EVENT % (
            self._index,
            event.id or 0,
            quoted(event.text),
            logprob if _LOWEST < logprob < -_LOWEST else _LOWEST,  # not so for infinities and NaN
            _BOOLEANS[event.special],
            _MORE,
        )

    def close(self, result: RunResult) -> bytes:
        """Return the last event, or the error."""
        fault = fault_of(result, self._mask)
        if fault is not None:
            return b"data: " + _error(fault) + b"\n\n"
        usage = result.usage
        details = {
            "finish_reason": _REASONS.get(result.finish_reason or "eos_token", "eos_token"),
            # Required, so that the tokens which were read stand in for a count that the engine did not report.
            "generated_tokens": result.tokens if usage is None else usage.completion_tokens or result.tokens,
            "seed": None,
        }
        if usage is not None and usage.prompt_tokens is not None:
            details["input_length"] = usage.prompt_tokens
        end = b'"generated_text":%b,"details":%b' % (quoted("".join(self._said)), json_of(details))
        return _EVENT % (self._index + 1, 0, b'""', 0.0, b"true", end)

    def refuse(self, error: Exception) -> tuple[str, bytes]:
        """Return TGI's JSON body of an error."""
        return "application/json", _error(Fault(self._mask(error), error_kind(error)))


def _error(fault: Fault) -> bytes:
    return json_of({"error": fault.message, "error_type": fault.kind})
