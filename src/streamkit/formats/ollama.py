"""Ollama's native streams, `/api/chat` and `/api/generate`: one JSON object per line.

The fields are those of api/types.go (`ChatResponse`, `GenerateResponse`); the last object has `"done": true`, the
reason and the counts.
"""

from __future__ import annotations

import attrs
import msgspec

from streamkit.events import Event, Finish, Token, ToolCallDelta, Usage
from streamkit.formats._decoder import EventDecoder
from streamkit.formats._encoding import ReadOnly
from streamkit.formats._framing import JsonLines
from streamkit.formats._lines import MAX_EVENT_BYTES
from streamkit.formats._reasons import normalise


class _Function(msgspec.Struct):
    name: str | None = None
    arguments: msgspec.Raw = msgspec.Raw(b"{}")


class _ToolCall(msgspec.Struct):
    function: _Function
    id: str | None = None


class _Message(msgspec.Struct):
    content: str | None = None
    thinking: str | None = None
    tool_calls: list[_ToolCall] | None = None


class _Response(msgspec.Struct):
    message: _Message | None = None
    response: str | None = None
    thinking: str | None = None
    done: bool = False
    done_reason: str | None = None
    prompt_eval_count: int | None = None
    eval_count: int | None = None


_decode = msgspec.json.Decoder(_Response).decode


class OllamaDecoder(EventDecoder[_Response]):
    """The state of reading one native response.

    1. Holds back nothing.
    2. Releases the text, thinking and tool calls of a line with the line; a tool call always comes whole.
    3. Stops at the line that is `done`.
    4. Costs one decode and one `Token` per line.
    """

    __slots__ = ("_calls",)

    _end_mark = 'a line with "done": true'

    def __init__(self, limit: int) -> None:
        super().__init__(_decode, JsonLines, limit)
        self._calls = 0

    def _read(self, wire: _Response, payload: bytes, events: list[Event]) -> None:
        message = wire.message
        if message is None:
            if wire.response is None and not wire.done:
                self._unfamiliar(payload)
                return
            message = _Message(wire.response, wire.thinking)
        if message.thinking:
            events.append(Token(message.thinking, channel="reasoning"))
        if message.content:
            events.append(Token(message.content))
        for call in message.tool_calls or ():
            arguments = bytes(call.function.arguments).decode("utf-8", "replace")
            events.append(
                ToolCallDelta(index=self._calls, id=call.id or None, name=call.function.name, arguments=arguments)
            )
            self._calls += 1
        if wire.done:
            events.append(self._last(wire))
            self.complete = self._ended = True

    def _last(self, wire: _Response) -> Finish:
        usage = Usage(prompt_tokens=wire.prompt_eval_count, completion_tokens=wire.eval_count)
        reason = normalise(wire.done_reason, None)
        if self._calls and reason == "eos_token":
            reason = "tool_calls"  # the native API says "stop" here too; Ollama's OpenAI route translates alike
        return Finish(reason=reason, raw_reason=wire.done_reason, usage=None if usage == Usage() else usage)


@attrs.frozen
class Ollama(ReadOnly):
    """The native streaming protocol of Ollama.

    Args:
        max_event_bytes: Bound of one line, in bytes; a longer one is a `LimitExceededError`.
    """

    max_event_bytes: int = attrs.field(default=MAX_EVENT_BYTES, validator=attrs.validators.gt(0))

    @property
    def content_type(self) -> str:
        """The media type of a stream."""
        return "application/x-ndjson"

    def decoder(self) -> OllamaDecoder:
        """Return the decoder of a new response."""
        return OllamaDecoder(self.max_event_bytes)
