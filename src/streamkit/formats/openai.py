"""OpenAI-shaped streams: `/v1/chat/completions` and `/v1/completions`.

TGI, vLLM, SGLang, llama.cpp, Ollama and the inference providers serve them and agree on little. Read alike here:
`delta` null, empty or without `content`; `role` anywhere; `finish_reason` absent, null or `""` until the end, then on a
chunk with or without text; `usage` on the last chunk, on every chunk, or on a chunk with no choices after the last;
`[DONE]` or none.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Generic

import attrs
import msgspec

from streamkit.events import Event, Finish, Usage
from streamkit.formats._decoder import EventDecoder
from streamkit.formats._encoding import mask_error, new_id
from streamkit.formats._lines import MAX_EVENT_BYTES
from streamkit.formats._openai_encoder import ChatEncoder, ChunkEncoder, CompletionsEncoder, Heading
from streamkit.formats._openai_wire import AnyChoice, ChatChoice, Choice, Chunk, TextChoice, tokens_of
from streamkit.formats._reasons import normalise
from streamkit.formats._sse import EventStream
from streamkit.formats._tool_calls import ToolCalls
from streamkit.protocols import Mask

_decode_chat = msgspec.json.Decoder(Chunk[ChatChoice]).decode
_decode_text = msgspec.json.Decoder(Chunk[TextChoice]).decode


class ChoiceDecoder(EventDecoder[Chunk[AnyChoice]], Generic[AnyChoice]):
    """The state of reading one choice of one response; the two dialects fill in `_choices`.

    1. Holds back the `Finish`, because usage may follow the finish reason in a chunk of its own.
    2. Releases text, reasoning and tool calls at once, and the `Finish` at `[DONE]` or at the end of the body.
    3. Stops at `[DONE]`; `complete` is true from the finish reason on, and a body that ends there is whole.
    4. Costs one decode and one `Token` per event; with log-probabilities, one `Token` per entry.
    """

    __slots__ = ("_choice", "_raw_reason", "_stop", "_usage")

    _end_mark = "a finish_reason or [DONE]"

    def __init__(self, decode: Callable[[bytes], Chunk[AnyChoice]], choice: int, limit: int) -> None:
        super().__init__(decode, EventStream, limit)
        self._choice = choice
        self._raw_reason: str | None = None
        self._stop: str | None = None
        self._usage: Usage | None = None

    def _content(self, wire: Chunk[AnyChoice], events: list[Event]) -> bool:
        """Add what the chunk brings for the choice; return whether it says anything about the choice."""
        raise NotImplementedError

    def _read(self, wire: Chunk[AnyChoice], payload: bytes, events: list[Event]) -> None:
        if wire.error or (wire.choices is None and wire.usage is None):
            self._unfamiliar(payload)
        elif (self._content(wire, events) or not wire.choices) and wire.usage is not None:
            self._usage = wire.usage  # of this choice, or of the whole request; another choice's is not ours

    def _end(self, choice: Choice) -> None:
        """Note why the choice ended, if this chunk says so; `""` is no reason."""
        if choice.finish_reason:
            self._raw_reason = choice.finish_reason
            stop = choice.matched_stop if choice.stop_reason is None else choice.stop_reason
            self._stop = stop if isinstance(stop, str) else None  # a number is the id of an end token
            self.complete = True

    def _done(self, events: list[Event]) -> None:
        self.complete = True
        self._finish(events)

    def _finish(self, events: list[Event]) -> None:
        reason = normalise(self._raw_reason, self._stop)
        stop = self._stop if reason == "stop_sequence" else None
        events.append(Finish(reason=reason, stop=stop, usage=self._usage, raw_reason=self._raw_reason))
        self._ended = True


class ChatDecoder(ChoiceDecoder[ChatChoice]):
    """Reads `choices[].delta`: content, reasoning and tool calls."""

    __slots__ = ("_tool_calls",)

    def __init__(self, choice: int, limit: int) -> None:
        super().__init__(_decode_chat, choice, limit)
        self._tool_calls = ToolCalls()

    def _content(self, wire: Chunk[ChatChoice], events: list[Event]) -> bool:
        mine = False
        for choice in wire.choices or ():
            if choice.index != self._choice:
                continue
            mine = True
            delta = choice.delta
            if delta is not None:
                reasoning = delta.reasoning_content or delta.reasoning
                if reasoning:
                    events += tokens_of(reasoning, "reasoning", None if delta.content else choice.logprobs)
                if delta.content:
                    events += tokens_of(delta.content, "text", choice.logprobs)
                for piece in delta.tool_calls or ():
                    event = self._tool_calls.read(piece)
                    if event is not None:
                        events.append(event)
            self._end(choice)
        return mine


class CompletionsDecoder(ChoiceDecoder[TextChoice]):
    """Reads `choices[].text`."""

    __slots__ = ()

    def __init__(self, choice: int, limit: int) -> None:
        super().__init__(_decode_text, choice, limit)

    def _content(self, wire: Chunk[TextChoice], events: list[Event]) -> bool:
        mine = False
        for choice in wire.choices or ():
            if choice.index == self._choice:
                mine = True
                if choice.text:
                    events += tokens_of(choice.text, "text", choice.logprobs)
                self._end(choice)
        return mine


@attrs.frozen
class _OpenAI:
    """What both formats are told, and how an answer is written in either.

    Args:
        choice: The answer to read, from 0.
        max_event_bytes: Bound of one event, in bytes; a larger one is a `LimitExceededError`.
    """

    choice: int = attrs.field(default=0, validator=attrs.validators.ge(0))
    max_event_bytes: int = attrs.field(default=MAX_EVENT_BYTES, validator=attrs.validators.gt(0))
    _encoder: ClassVar[type[ChunkEncoder]]

    @property
    def content_type(self) -> str:
        """The media type of a stream."""
        return "text/event-stream"

    def encoder(
        self,
        *,
        mask: Mask = mask_error,
        model: str = "streamkit",
        response_id: str | None = None,
        include_usage: bool = False,
    ) -> ChunkEncoder:
        """Return the encoder of a new response, which always has one choice.

        Args:
            mask: What to tell the client of an error.
            model: The model's name, as the client is to see it.
            response_id: The response's id; a new one if `None`.
            include_usage: Whether a last chunk brings the usage, as far as the engine reported it; the request asks for
                it by `stream_options.include_usage`.
        """
        heading = Heading(
            id=response_id or new_id(self._encoder.id_prefix), model=model, include_usage=include_usage, mask=mask
        )
        return self._encoder(heading)


@attrs.frozen
class OpenAIChat(_OpenAI):
    """The stream of `/v1/chat/completions`.

    Args:
        choice: The answer to read, from 0, where the request asked for several (`n`).
        max_event_bytes: Bound of one event, in bytes; a larger one is a `LimitExceededError`.
    """

    _encoder: ClassVar[type[ChunkEncoder]] = ChatEncoder

    def decoder(self) -> ChatDecoder:
        """Return the decoder of a new response."""
        return ChatDecoder(self.choice, self.max_event_bytes)


@attrs.frozen
class OpenAICompletions(_OpenAI):
    """The stream of `/v1/completions`.

    Args:
        choice: The answer to read, from 0, where the request had several prompts or asked for several answers.
        max_event_bytes: Bound of one event, in bytes; a larger one is a `LimitExceededError`.
    """

    _encoder: ClassVar[type[ChunkEncoder]] = CompletionsEncoder

    def decoder(self) -> CompletionsDecoder:
        """Return the decoder of a new response."""
        return CompletionsDecoder(self.choice, self.max_event_bytes)
