"""OpenAI-shaped streams, written: the chunks of `/v1/chat/completions` and `/v1/completions`.

The fields are those of OpenAI's API reference ("The chat completion chunk object", "The completion object"). A field
without a value is left out, but for `finish_reason` and `logprobs`, which the reference requires to be null. The one
field that is not in the reference is `reasoning_content`, the name that most engines gave to a model's thinking.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Final

import attrs

from streamkit.events import Event, FinishReason, Token, ToolCallDelta, Usage
from streamkit.formats._encoding import Fault, error_kind, fault_of, json_of, quoted
from streamkit.formats._sse_writing import DONE, KEEP_ALIVE
from streamkit.protocols import Mask

if TYPE_CHECKING:
    from streamkit.result import RunResult

_REASONS: Final[Mapping[FinishReason, str]] = {
    "length": "length",
    "tool_calls": "tool_calls",
    "content_filter": "content_filter",
}
"""OpenAI's words; end-of-sequence tokens and stop sequences are both `stop`."""

_TYPES: Final = {"validation": "invalid_request_error", "overloaded": "overloaded_error"}


@attrs.frozen(kw_only=True)
class Heading:
    """What all chunks of one response have in common.

    Args:
        id: The response's id.
        model: The model's name, as the client is to see it.
        include_usage: Whether a last chunk brings the usage, as `stream_options.include_usage` asks for.
        mask: What to tell the client of an error.
    """

    id: str
    model: str
    include_usage: bool
    mask: Mask


class ChunkEncoder:
    """What the encoders of both dialects share; a dialect names its chunks and fills in the choices.

    1. Holds back nothing.
    2. Releases what the dialect can say.
    3. Ends with the finish reason, in a chunk of its own, the usage, where it is asked for and known, and `[DONE]`; or
       with an error and `[DONE]`.
    4. Costs one JSON string and one concatenation per token: all else is prepared when the response begins.
    """

    __slots__ = ("_content", "_head", "_heading", "_tail")

    headers: ClassVar[Mapping[str, str]] = {"content-type": "text/event-stream"}
    keep_alive: ClassVar[bytes] = KEEP_ALIVE
    kind: ClassVar[str]
    id_prefix: ClassVar[str]

    def __init__(self, heading: Heading) -> None:
        self._heading = heading
        common = {"id": heading.id, "object": self.kind, "created": int(time.time()), "model": heading.model}
        self._head = b"data: " + json_of(common)[:-1]

    def begin(self) -> bytes:
        """Return what comes before the first event."""
        return b""

    def feed(self, event: Event) -> bytes:
        """Return the chunk of an event."""
        raise NotImplementedError

    def close(self, result: RunResult) -> bytes:
        """Return the last chunks."""
        fault = fault_of(result, self._heading.mask)
        if fault is not None:
            return b"data: " + _error(fault) + b"\n\n" + DONE
        end = self._last(reason_of(result))
        counts = counts_of(result.usage) if self._heading.include_usage and result.usage else {}
        if counts:
            end += self._head + b',"choices":[],"usage":%b}\n\n' % json_of(counts)
        return end + DONE

    def refuse(self, error: Exception) -> tuple[str, bytes]:
        """Return OpenAI's JSON body of an error."""
        return "application/json", _error(Fault(self._heading.mask(error), error_kind(error)))

    def _last(self, reason: str) -> bytes:
        """Return the chunk with the finish reason."""
        raise NotImplementedError


class ChatEncoder(ChunkEncoder):
    """Writes `choices[].delta`: the role first, then content, reasoning and tool calls as they come."""

    __slots__ = ("_known_calls", "_reasoning")

    kind: ClassVar[str] = "chat.completion.chunk"
    id_prefix: ClassVar[str] = "chatcmpl-"

    def __init__(self, heading: Heading) -> None:
        super().__init__(heading)
        self._content = self._head + b',"choices":[{"index":0,"delta":{"content":'
        self._reasoning = self._head + b',"choices":[{"index":0,"delta":{"reasoning_content":'
        self._tail = b'},"finish_reason":null}]}\n\n'
        self._known_calls: set[int] = set()

    def begin(self) -> bytes:
        """Return the chunk with the role, without which the `openai` package's `.stream()` raises."""
        return self._delta({"role": "assistant", "content": ""})

    def feed(self, event: Event) -> bytes:
        """Return the chunk of a token or of a piece of a tool call."""
        if type(event) is Token:
            if not event.text:
                return b""
            if event.channel == "text":
                return self._content + quoted(event.text) + self._tail
            if event.channel == "reasoning":
                return self._reasoning + quoted(event.text) + self._tail
        elif type(event) is ToolCallDelta:
            return self._delta({"tool_calls": [self._piece(event)]})
        return b""

    def _last(self, reason: str) -> bytes:
        return self._delta({}, reason)

    def _delta(self, delta: dict[str, Any], reason: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": reason}
        return self._head + b',"choices":[%b]}\n\n' % json_of(choice)

    def _piece(self, event: ToolCallDelta) -> dict[str, Any]:
        """Return a piece of a call; the first has the call's id, which clients answer it by, and its type."""
        function = {"arguments": event.arguments}
        if event.name is not None:
            function = {"name": event.name, **function}
        if event.index in self._known_calls:
            return {"index": event.index, "function": function}
        self._known_calls.add(event.index)
        call_id = event.id or f"call_{self._heading.id}_{event.index}"
        return {"index": event.index, "id": call_id, "type": "function", "function": function}


class CompletionsEncoder(ChunkEncoder):
    """Writes `choices[].text`; reasoning and tool calls have no place in this protocol."""

    __slots__ = ()

    kind: ClassVar[str] = "text_completion"
    id_prefix: ClassVar[str] = "cmpl-"

    def __init__(self, heading: Heading) -> None:
        super().__init__(heading)
        self._content = self._head + b',"choices":[{"index":0,"text":'
        self._tail = b',"logprobs":null,"finish_reason":null}]}\n\n'

    def feed(self, event: Event) -> bytes:
        """Return the chunk of a token of the answer."""
        if type(event) is Token and event.text and event.channel == "text":
            return self._content + quoted(event.text) + self._tail
        return b""

    def _last(self, reason: str) -> bytes:
        return self._content + b'"","logprobs":null,"finish_reason":"%b"}]}\n\n' % reason.encode()


def reason_of(result: RunResult) -> str:
    """Return why an answer ended, in OpenAI's word."""
    return _REASONS.get(result.finish_reason or "eos_token", "stop")


def counts_of(usage: Usage) -> dict[str, int]:
    """Return the usage as far as it is known; the total, which clients read, is no guess where both parts are."""
    counts = attrs.asdict(usage, filter=lambda _, count: count is not None)
    if usage.prompt_tokens is not None and usage.completion_tokens is not None:
        counts.setdefault("total_tokens", usage.prompt_tokens + usage.completion_tokens)
    return counts


def _error(fault: Fault) -> bytes:
    kind = _TYPES.get(fault.kind, "server_error")
    return json_of({"error": {"message": fault.message, "type": kind, "code": fault.kind}})
