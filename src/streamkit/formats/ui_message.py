"""The AI SDK's UI message stream, version 1: what `useChat` and `useCompletion` read from a backend."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import attrs
import msgspec

from streamkit.errors import GenerationError, TruncatedStreamError
from streamkit.events import Event, Finish, Token, ToolCallDelta, Usage
from streamkit.formats._decoder import EventDecoder
from streamkit.formats._encoding import mask_error, new_id
from streamkit.formats._lines import MAX_EVENT_BYTES
from streamkit.formats._reasons import normalise
from streamkit.formats._sse import EventStream
from streamkit.formats._ui_message_encoder import Message, UIMessageEncoder
from streamkit.protocols import Mask


class _Usage(msgspec.Struct, rename="camel"):
    input_tokens: int | None = None
    output_tokens: int | None = None
    total_tokens: int | None = None


class _Metadata(msgspec.Struct, rename="camel"):
    finish_reason: str | None = None
    stop_sequence: str | None = None
    usage: _Usage | None = None


class _Part(msgspec.Struct, rename="camel"):
    type: str
    delta: str = ""
    tool_call_id: str = ""
    tool_name: str | None = None
    input_text_delta: str = ""
    input: msgspec.Raw = msgspec.Raw(b"")
    error_text: str = ""
    finish_reason: str | None = None
    message_metadata: msgspec.Raw = msgspec.Raw(b"")


_decode = msgspec.json.Decoder(_Part).decode
_decode_metadata = msgspec.json.Decoder(_Metadata).decode

_CHANNELS: dict[str, Literal["text", "reasoning"]] = {"text-delta": "text", "reasoning-delta": "reasoning"}


class UIMessageDecoder(EventDecoder[_Part]):
    """The state of reading one message.

    1. Holds back the `Finish` until `[DONE]` or the end of the body.
    2. Releases text, reasoning and the input of tools; sources, files, data and the results of tools are no part of an
       answer, and are passed over.
    3. Stops at `[DONE]`, at `error`, and at `abort`, which is an answer that was cut.
    4. Costs one decode and one `Token` per part.
    """

    __slots__ = ("_calls", "_finish_event", "_written")

    _end_mark = "a `finish` part or [DONE]"

    def __init__(self, limit: int) -> None:
        super().__init__(_decode, EventStream, limit)
        self._calls: dict[str, int] = {}
        self._written: set[str] = set()
        self._finish_event = Finish()

    def _read(self, wire: _Part, payload: bytes, events: list[Event]) -> None:  # noqa: ARG002 - every part has a type
        channel = _CHANNELS.get(wire.type)
        if channel is not None:
            events.append(Token(wire.delta, channel=channel))
        elif wire.type.startswith("tool-input-"):
            self._tool(wire, events)
        elif wire.type == "finish":
            self._finish_event = _finish(wire)
            self.complete = True
        elif wire.type == "error":
            self._fail(GenerationError(wire.error_text))
        elif wire.type == "abort":
            self._fail(TruncatedStreamError("the server stopped the answer before its end"))

    def _tool(self, wire: _Part, events: list[Event]) -> None:
        index = self._calls.get(wire.tool_call_id)
        if index is None:
            index = self._calls[wire.tool_call_id] = len(self._calls)
            events.append(ToolCallDelta(index=index, id=wire.tool_call_id or None, name=wire.tool_name))
        arguments = wire.input_text_delta
        if wire.type == "tool-input-available" and wire.tool_call_id not in self._written:
            arguments = bytes(wire.input).decode("utf-8", "replace")
        if arguments:
            self._written.add(wire.tool_call_id)
            events.append(ToolCallDelta(index=index, arguments=arguments))

    def _done(self, events: list[Event]) -> None:
        self.complete = True
        self._finish(events)

    def _finish(self, events: list[Event]) -> None:
        events.append(self._finish_event)
        self._ended = True


def _finish(wire: _Part) -> Finish:
    """Read the end of a message, with what our own encoder puts into the metadata; another server's may be anything."""
    try:
        metadata = _decode_metadata(wire.message_metadata)
    except (msgspec.DecodeError, UnicodeDecodeError):
        metadata = _Metadata()
    raw = wire.finish_reason or metadata.finish_reason
    counts = metadata.usage or _Usage()
    usage = Usage(
        prompt_tokens=counts.input_tokens, completion_tokens=counts.output_tokens, total_tokens=counts.total_tokens
    )
    return Finish(
        reason=normalise(raw.replace("-", "_") if raw else None, metadata.stop_sequence),
        stop=metadata.stop_sequence,
        usage=None if usage == Usage() else usage,
        raw_reason=raw,
    )


@attrs.frozen
class UIMessage:
    """The AI SDK's UI message stream, version 1.

    Args:
        max_event_bytes: Bound of one event that is read, in bytes; a larger one is a `LimitExceededError`.
    """

    max_event_bytes: int = attrs.field(default=MAX_EVENT_BYTES, validator=attrs.validators.gt(0))

    @property
    def content_type(self) -> str:
        """The media type of a stream."""
        return "text/event-stream"

    def decoder(self) -> UIMessageDecoder:
        """Return the decoder of a new response."""
        return UIMessageDecoder(self.max_event_bytes)

    def encoder(
        self,
        *,
        mask: Mask = mask_error,
        message_id: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        send_finish_reason: bool = False,
    ) -> UIMessageEncoder:
        """Return the encoder of a new message.

        Args:
            mask: What to tell the client of an error.
            message_id: The message's id; a new one if `None`.
            metadata: The application's own, sent with the first part.
            send_finish_reason: Whether the last part has a `finishReason`. Clients before 5.0.100 end the stream at it;
                it is in the `messageMetadata` of the last part in any case.
        """
        message = Message(
            id=message_id or new_id("msg-"), metadata=metadata, send_finish_reason=send_finish_reason, mask=mask
        )
        return UIMessageEncoder(message)
