"""Text Generation Inference's native stream: `/generate_stream`, and `/` with `"stream": true`.

One server-sent event per token (router/src/lib.rs, `StreamResponse`); the last one also carries `generated_text`, and
`details` if they were asked for. `[DONE]` is not part of this protocol: it is passed over.
"""

from __future__ import annotations

import attrs
import msgspec

from streamkit.events import Event, Finish, Token, Usage
from streamkit.formats._decoder import EventDecoder
from streamkit.formats._encoding import mask_error
from streamkit.formats._lines import MAX_EVENT_BYTES
from streamkit.formats._reasons import normalise
from streamkit.formats._sse import EventStream
from streamkit.formats._tgi_encoder import TgiEncoder
from streamkit.protocols import Mask


class _Token(msgspec.Struct):
    text: str
    id: int | None = None
    logprob: float | None = None
    special: bool = False


class _Details(msgspec.Struct):
    finish_reason: str | None = None
    generated_tokens: int | None = None
    input_length: int | None = None


class _StreamResponse(msgspec.Struct):
    token: _Token | None = None
    generated_text: str | None = None
    details: _Details | None = None


_decode = msgspec.json.Decoder(_StreamResponse).decode


class TgiDecoder(EventDecoder[_StreamResponse]):
    """The state of reading one native response.

    1. Holds back nothing.
    2. Releases a `Token` for every event, special and empty ones too, as they carry ids; the `Finish` follows the
       token of the event with `generated_text` at once.
    3. Stops at that event.
    4. Costs one decode and one `Token` per event. It keeps the texts, to hold them at the end against
       `generated_text`, which the engine decodes from all ids at once.
    """

    __slots__ = ("_full_text", "_keep", "_texts")

    _end_mark = "an event with `generated_text`"

    def __init__(self, limit: int, *, full_text: bool) -> None:
        super().__init__(_decode, EventStream, limit)
        self._full_text = full_text
        self._texts: list[str] = []
        self._keep = self._texts.append

    def _read(self, wire: _StreamResponse, payload: bytes, events: list[Event]) -> None:
        token = wire.token
        if token is not None:
            text = token.text
            events.append(Token(text, token.id, token.logprob, token.special))
            if not token.special:
                self._keep(text)
        elif wire.generated_text is None:
            self._unfamiliar(payload)
            return
        if wire.generated_text is not None:
            reconciled = self._reconcile(wire.generated_text)
            events.append(_finish(wire.generated_text, wire.details or _Details(), reconciled=reconciled))
            self.complete = self._ended = True

    def _reconcile(self, generated: str) -> bool | None:
        """Tell whether the tokens came to the engine's own text, or `None` where that cannot be told.

        The engine leaves special tokens out of its text, and the space that some vocabularies have before the first
        word. After an answer that ends inside a character it sends an empty text (TGI, `StreamResponse` and
        `decode_token` of its Python server).
        """
        streamed = "".join(self._texts).lstrip(" ")
        if streamed == generated.lstrip(" "):
            return True
        inside_character = not generated and bool(self._texts) and not self._texts[-1]
        if inside_character or (self._full_text and generated.endswith(streamed)):
            return None
        return False


def _finish(generated_text: str, details: _Details, *, reconciled: bool | None) -> Finish:
    usage = Usage(prompt_tokens=details.input_length, completion_tokens=details.generated_tokens)
    return Finish(
        reason=normalise(details.finish_reason, None),
        raw_reason=details.finish_reason,
        usage=None if usage == Usage() else usage,
        generated_text=generated_text,
        reconciled=reconciled,
    )


@attrs.frozen
class Tgi:
    """The native streaming protocol of Text Generation Inference.

    Args:
        max_event_bytes: Bound of one event, in bytes; a larger one is a `LimitExceededError`.
        full_text: Whether `generated_text` may begin with the prompt, as with `return_full_text`; tokens that were
            lost at the beginning then cannot be told from one.
    """

    max_event_bytes: int = attrs.field(default=MAX_EVENT_BYTES, validator=attrs.validators.gt(0))
    full_text: bool = attrs.field(default=True, kw_only=True)

    @property
    def content_type(self) -> str:
        """The media type of a stream."""
        return "text/event-stream"

    def decoder(self) -> TgiDecoder:
        """Return the decoder of a new response."""
        return TgiDecoder(self.max_event_bytes, full_text=self.full_text)

    def encoder(self, *, mask: Mask = mask_error) -> TgiEncoder:
        """Return the encoder of a new response.

        Args:
            mask: What to tell the client of an error.
        """
        return TgiEncoder(mask)
