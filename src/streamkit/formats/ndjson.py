r"""streamkit's own events as lines of JSON: everything that flows, for clients that are written with it in mind.

Each line has its number, `seq`, from 1, and a `type`; a member without a value is left out.

    {"seq":1,"type":"token","text":"Hel","id":5,"logprob":-0.1}
    {"seq":2,"type":"token","text":"hm","channel":"reasoning"}
    {"seq":3,"type":"tool_call_delta","index":0,"id":"call_1","name":"weather","arguments":"{"}
    {"seq":4,"type":"finish","reason":"stop_sequence","stop":"\nUser:","usage":{"prompt_tokens":3}}

In the place of the `finish`, an answer without a good end has `{"type":"error","message":...,"error_type":...}`, or
`{"type":"abort"}` if it was stopped. The `raw` text of a token, which a transform has hidden, is not sent, nor are
failed tries: both may tell what the client is not meant to know.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, Final

import attrs
import msgspec

from streamkit.errors import GenerationError, TruncatedStreamError
from streamkit.events import Event, Finish, FinishReason, Token, ToolCallDelta, Usage
from streamkit.formats._decoder import EventDecoder
from streamkit.formats._encoding import Fault, error_kind, fault_of, json_of, mask_error, quoted
from streamkit.formats._framing import JsonLines
from streamkit.formats._lines import MAX_EVENT_BYTES
from streamkit.protocols import Mask

if TYPE_CHECKING:
    from streamkit.result import RunResult

CONTENT_TYPE: Final = "application/x-ndjson"


class NdjsonEncoder:
    """The state of writing one response.

    1. Holds back nothing.
    2. Releases a line for each token, on whatever channel, and for each piece of a tool call.
    3. Ends with a line `finish`, `error` or `abort`.
    4. Costs one JSON string and one template per token; an id or a log-probability costs as much again.
    """

    __slots__ = ("_mask", "_seq")

    headers: ClassVar[Mapping[str, str]] = {"content-type": CONTENT_TYPE}
    keep_alive: ClassVar[bytes] = b""

    def __init__(self, mask: Mask) -> None:
        self._mask = mask
        self._seq = 0

    def begin(self) -> bytes:
        """Return nothing."""
        return b""

    def feed(self, event: Event) -> bytes:
        """Return the line of an event."""
        if type(event) is Token:
            self._seq += 1
            start = b'{"seq":%d,"type":"token","text":%b' % (self._seq, quoted(event.text))
            return start + _rest(event) + b"}\n"
        if type(event) is ToolCallDelta:
            return self._line("tool_call_delta", event)
        return b""

    def close(self, result: RunResult) -> bytes:
        """Return the last line."""
        if result.outcome == "aborted":
            return self._line("abort", {})
        fault = fault_of(result, self._mask)
        if fault is not None:
            return self._line("error", _error(fault))
        finish = Finish(reason=result.finish_reason, stop=result.stop, usage=result.usage, raw_reason=result.raw_reason)
        return self._line("finish", finish)

    def refuse(self, error: Exception) -> tuple[str, bytes]:
        """Return the message and kind of an error as JSON."""
        return "application/json", json_of(_error(Fault(self._mask(error), error_kind(error))))

    def _line(self, kind: str, value: ToolCallDelta | Finish | dict[str, str]) -> bytes:
        self._seq += 1
        members = value if isinstance(value, dict) else attrs.asdict(value, filter=lambda _, member: member is not None)
        return json_of({"seq": self._seq, "type": kind, **members}) + b"\n"


def _rest(token: Token) -> bytes:
    """Return the members of a token besides its text."""
    rest = b""
    if token.id is not None:
        rest += b',"id":%d' % token.id
    if token.logprob is not None and -1e308 < token.logprob < 1e308:  # JSON has no infinity
        rest += b',"logprob":%a' % token.logprob
    if token.special:
        rest += b',"special":true'
    if token.channel != "text":
        rest += b',"channel":' + quoted(token.channel)
    return rest + b',"cont":true' if token.cont else rest


def _error(fault: Fault) -> dict[str, str]:
    return {"message": fault.message, "error_type": fault.kind}


class _Line(msgspec.Struct):
    type: str
    text: str = ""
    id: int | str | None = None
    logprob: float | None = None
    special: bool = False
    channel: str = "text"
    cont: bool = False
    index: int = 0
    name: str | None = None
    arguments: str = ""
    reason: FinishReason | None = None
    stop: str | None = None
    usage: Usage | None = None
    raw_reason: str | None = None
    message: str = ""
    error_type: str = "server"


_decode = msgspec.json.Decoder(_Line).decode


class NdjsonDecoder(EventDecoder[_Line]):
    """The state of reading one response.

    1. Holds back nothing.
    2. Releases the event of each line; lines of other types are passed over.
    3. Stops at the line `finish`, at `error`, and at `abort`, which is an answer that was cut.
    4. Costs one decode and one event per line.
    """

    __slots__ = ()

    _end_mark = "a line `finish`"

    def __init__(self, limit: int) -> None:
        super().__init__(_decode, JsonLines, limit)

    def _read(self, wire: _Line, payload: bytes, events: list[Event]) -> None:  # noqa: ARG002 - every line has a type
        if wire.type == "token":
            number = wire.id if isinstance(wire.id, int) else None
            events.append(Token(wire.text, number, wire.logprob, wire.special, channel=wire.channel, cont=wire.cont))
        elif wire.type == "tool_call_delta":
            name = wire.id if isinstance(wire.id, str) else None
            events.append(ToolCallDelta(index=wire.index, id=name, name=wire.name, arguments=wire.arguments))
        elif wire.type == "finish":
            events.append(Finish(reason=wire.reason, stop=wire.stop, usage=wire.usage, raw_reason=wire.raw_reason))
            self.complete = self._ended = True
        elif wire.type == "error":
            self._fail(GenerationError(wire.message, kind=wire.error_type))
        elif wire.type == "abort":
            self._fail(TruncatedStreamError("the server stopped the answer before its end"))


@attrs.frozen
class Ndjson:
    """streamkit's own events, one JSON object per line.

    Args:
        max_event_bytes: Bound of one line that is read, in bytes; a longer one is a `LimitExceededError`.
    """

    max_event_bytes: int = attrs.field(default=MAX_EVENT_BYTES, validator=attrs.validators.gt(0))

    @property
    def content_type(self) -> str:
        """The media type of a stream."""
        return CONTENT_TYPE

    def decoder(self) -> NdjsonDecoder:
        """Return the decoder of a new response."""
        return NdjsonDecoder(self.max_event_bytes)

    def encoder(self, *, mask: Mask = mask_error) -> NdjsonEncoder:
        """Return the encoder of a new response.

        Args:
            mask: What to tell the client of an error.
        """
        return NdjsonEncoder(mask)
