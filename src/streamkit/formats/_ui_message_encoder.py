"""The AI SDK's UI message stream, version 1, written for every client that reads it.

Before July 2026 its clients end a stream at any key that they do not know, and there is no negotiation of versions. So
only keys are written that all of them know, from 5.0.0 on: what later versions added goes into `messageMetadata`, which
is the application's own and never checked against a list.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Final

import attrs
import msgspec

from streamkit.events import Event, FinishReason, Token, ToolCallDelta
from streamkit.formats._encoding import fault_of, json_of, quoted, whole_characters
from streamkit.formats._sse_writing import DONE, KEEP_ALIVE
from streamkit.protocols import Mask

if TYPE_CHECKING:
    from streamkit.result import RunResult

_REASONS: Final[Mapping[FinishReason, str]] = {
    "eos_token": "stop",
    "stop_sequence": "stop",
    "length": "length",
    "tool_calls": "tool-calls",
    "content_filter": "content-filter",
}

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


@attrs.define
class _Call:
    id: str
    name: str = ""
    arguments: str = ""


@attrs.frozen(kw_only=True)
class Message:
    """What is known of a message before it begins.

    Args:
        id: The message's id, which the client gives to its copy.
        metadata: The application's own, sent with the first part.
        send_finish_reason: Whether `finish` has a `finishReason`, which clients before 5.0.100 die of.
        mask: What to tell the client of an error.
    """

    id: str
    metadata: Mapping[str, Any] | None
    send_finish_reason: bool
    mask: Mask


class UIMessageEncoder:
    """The state of writing one message.

    1. Holds back nothing but the name of a tool call whose name has not come yet.
    2. Releases text and reasoning as deltas of parts that are opened and closed as the channel changes, each with an id
       of its own; tool calls as they are written, and once more as a whole at the end. Channels of a transform's own
       have no place here.
    3. Ends by closing what is open, and then with `finish`, whose `messageMetadata` has the finish reason and the usage
       (`finishReason`, `stopSequence`, `usage`); with `error`; or with `abort`. `[DONE]` is last in any case.
    4. Costs one JSON string and one concatenation per token.
    """

    __slots__ = ("_calls", "_channel", "_head", "_message", "_parts")

    headers: ClassVar[Mapping[str, str]] = {
        "content-type": "text/event-stream",
        "x-vercel-ai-ui-message-stream": "v1",
    }
    keep_alive: ClassVar[bytes] = KEEP_ALIVE

    def __init__(self, message: Message) -> None:
        self._message = message
        self._channel = ""
        self._head = b""
        self._parts = 0
        self._calls: dict[int, _Call] = {}

    def begin(self) -> bytes:
        """Return the start of the message and of its one step."""
        start: dict[str, Any] = {"type": "start", "messageId": self._message.id}
        if self._message.metadata is not None:
            start["messageMetadata"] = dict(self._message.metadata)
        return _part(start) + _part({"type": "start-step"})

    def feed(self, event: Event) -> bytes:
        """Return the delta of a token or of a piece of a tool call, and what must be opened or closed before it."""
        if type(event) is Token:
            if not event.text:
                return b""
            if event.channel == self._channel:
                return self._head + quoted(event.text) + b"}\n\n"
            if event.channel in {"text", "reasoning"}:
                return self._close_part() + self._open_part(event.channel) + self.feed(event)
        elif type(event) is ToolCallDelta:
            return self._close_part() + self._call(event)
        return b""

    def data(self, name: str, value: Any, *, id: str | None = None, transient: bool = False) -> bytes:  # noqa: A002 - the field's name
        """Return a data part, which may stand between any two events.

        Args:
            name: The part's type without its `data-`.
            value: Anything that JSON has a form for.
            id: A later part with the same name and id replaces this one.
            transient: Whether the client only hears of the part, and does not keep it.

        Raises:
            ValueError: The name is empty, or has other characters than letters, digits, `-`, `_` and `.`.
            TypeError: The value has no form in JSON.
        """
        if not _NAME.fullmatch(name):
            raise ValueError(f"the name of a data part has letters, digits, '-', '_' and '.' only: {name!r}")
        part: dict[str, Any] = {"type": f"data-{name}", "data": value}
        if id is not None:
            part["id"] = id
        if transient:
            part["transient"] = True
        return _part(part)

    def metadata(self, metadata: Mapping[str, Any]) -> bytes:
        """Return a part whose metadata is merged into the message's; it may stand between any two events.

        Raises:
            TypeError: The metadata has no form in JSON.
        """
        return _part({"type": "message-metadata", "messageMetadata": dict(metadata)})

    def close(self, result: RunResult) -> bytes:
        """Return the end of what is open, and the end of the message."""
        end = self._close_part()
        if result.outcome == "aborted":
            return end + _part({"type": "abort"}) + DONE
        fault = fault_of(result, self._message.mask)
        if fault is not None:
            return end + _part({"type": "error", "errorText": fault.message}) + DONE
        finish: dict[str, Any] = {"type": "finish"}
        if self._message.send_finish_reason:
            finish["finishReason"] = _reason(result) or "other"
        metadata = _metadata(result)
        if metadata:
            finish["messageMetadata"] = metadata
        end += b"".join(_available(call) for call in self._calls.values() if call.name)
        return end + _part({"type": "finish-step"}) + _part(finish) + DONE

    def refuse(self, error: Exception) -> tuple[str, bytes]:
        """Return the message: the client shows the body of a refusal to its user."""
        return "text/plain; charset=utf-8", whole_characters(self._message.mask(error)).encode()

    def _open_part(self, channel: str) -> bytes:
        self._parts += 1
        self._channel = channel
        self._head = b'data: {"type":"%b-delta","id":"%d","delta":' % (channel.encode(), self._parts)
        return _part({"type": f"{channel}-start", "id": str(self._parts)})

    def _close_part(self) -> bytes:
        channel, self._channel = self._channel, ""
        return _part({"type": f"{channel}-end", "id": str(self._parts)}) if channel else b""

    def _call(self, event: ToolCallDelta) -> bytes:
        call = self._calls.get(event.index)
        if call is None:
            call = self._calls[event.index] = _Call(event.id or f"{self._message.id}-{event.index}")
        started = bool(call.name)
        call.name = call.name or event.name or ""
        call.arguments += event.arguments
        if not call.name:
            return b""
        start, delta = b"", event.arguments
        if not started:
            start = _part({"type": "tool-input-start", "toolCallId": call.id, "toolName": call.name})
            delta = call.arguments
        if not delta:
            return start
        return start + _part({"type": "tool-input-delta", "toolCallId": call.id, "inputTextDelta": delta})


def _part(part: dict[str, Any]) -> bytes:
    return b"data: %b\n\n" % json_of(part)


def _available(call: _Call) -> bytes:
    # What is put into a message as it is must have a form in UTF-8 by then.
    identity, name, arguments = map(whole_characters, (call.id, call.name, call.arguments))
    part = {"type": "tool-input-available", "toolCallId": identity, "toolName": name}
    written = arguments.strip() or "{}"
    try:
        msgspec.json.decode(written)
    except msgspec.DecodeError:
        text = "The model's input for this tool is not JSON."
        return _part({**part, "type": "tool-input-error", "input": arguments, "errorText": text})
    return _part({**part, "input": msgspec.Raw(msgspec.json.format(written.encode(), indent=-1))})


def _reason(result: RunResult) -> str | None:
    return None if result.finish_reason is None else _REASONS.get(result.finish_reason, "other")


def _metadata(result: RunResult) -> dict[str, Any]:
    usage = result.usage
    counts = (
        {}
        if usage is None
        else {
            "inputTokens": usage.prompt_tokens,
            "outputTokens": usage.completion_tokens,
            "totalTokens": usage.total_tokens,
        }
    )
    known = {name: count for name, count in counts.items() if count is not None}
    metadata = {"finishReason": _reason(result), "stopSequence": result.stop, "usage": known}
    return {name: value for name, value in metadata.items() if value}
