"""llama.cpp's native stream, `/completion` (tools/server/README.md): server-sent events with `content` and `stop`.

The last event has `"stop": true`, `stop_type` (before 2025: three booleans), `stopping_word` and the counts. Token ids
come with `return_tokens`, log-probabilities with `n_probs`.
"""

from __future__ import annotations

import attrs
import msgspec

from streamkit.events import Event, Finish, Token, Usage
from streamkit.formats._decoder import EventDecoder
from streamkit.formats._encoding import ReadOnly
from streamkit.formats._lines import MAX_EVENT_BYTES
from streamkit.formats._openai_wire import LogprobEntry, Logprobs, tokens_of
from streamkit.formats._reasons import normalise
from streamkit.formats._sse import EventStream


class _Completion(msgspec.Struct):
    content: str | None = None
    tokens: list[int] | None = None
    completion_probabilities: list[LogprobEntry] | None = None
    stop: bool = False
    stop_type: str | None = None
    stopped_eos: bool = False
    stopped_word: bool = False
    stopped_limit: bool = False
    stopping_word: str | None = None
    tokens_evaluated: int | None = None
    tokens_predicted: int | None = None


_decode = msgspec.json.Decoder(_Completion).decode


class LlamaCppDecoder(EventDecoder[_Completion]):
    """The state of reading one native response.

    1. Holds back nothing.
    2. Releases the text of an event with the event; one `Token`, or one per entry where there are probabilities.
    3. Stops at the event that says `"stop": true`.
    4. Costs one decode and one `Token` per event.
    """

    __slots__ = ()

    _end_mark = 'an event with "stop": true'

    def __init__(self, limit: int) -> None:
        super().__init__(_decode, EventStream, limit)

    def _read(self, wire: _Completion, payload: bytes, events: list[Event]) -> None:
        if wire.content is None and not wire.stop:
            self._unfamiliar(payload)
            return
        if wire.content:
            ids, entries = wire.tokens, wire.completion_probabilities
            if ids is not None and len(ids) == 1 and not entries:
                events.append(Token(wire.content, ids[0]))
            else:
                events += tokens_of(wire.content, "text", Logprobs(content=entries))
        if wire.stop:
            events.append(_finish(wire))
            self.complete = self._ended = True


def _finish(wire: _Completion) -> Finish:
    raw = wire.stop_type
    if raw is None:
        flags = {"eos": wire.stopped_eos, "word": wire.stopped_word, "limit": wire.stopped_limit}
        raw = next((word for word, is_set in flags.items() if is_set), None)
    usage = Usage(prompt_tokens=wire.tokens_evaluated, completion_tokens=wire.tokens_predicted)
    reason = normalise(raw, wire.stopping_word or None)
    return Finish(
        reason=reason,
        stop=wire.stopping_word if reason == "stop_sequence" else None,
        raw_reason=raw,
        usage=None if usage == Usage() else usage,
    )


@attrs.frozen
class LlamaCpp(ReadOnly):
    """The native streaming protocol of llama.cpp's server.

    Args:
        max_event_bytes: Bound of one event, in bytes; a larger one is a `LimitExceededError`.
    """

    max_event_bytes: int = attrs.field(default=MAX_EVENT_BYTES, validator=attrs.validators.gt(0))

    @property
    def content_type(self) -> str:
        """The media type of a stream."""
        return "text/event-stream"

    def decoder(self) -> LlamaCppDecoder:
        """Return the decoder of a new response."""
        return LlamaCppDecoder(self.max_event_bytes)
