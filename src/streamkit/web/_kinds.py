"""One kind of response for each wire format; a framework's module makes each of them a response of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Unpack

from streamkit.formats import Ndjson, OpenAIChat, OpenAICompletions, Text, Tgi, UIMessage
from streamkit.formats._encoding import mask_error
from streamkit.protocols import Mask
from streamkit.web._response import AnyStream, Options, ResponseBase
from streamkit.web._writer import UIMessageWriter


class TextKind(ResponseBase):
    """The text of the answer and nothing else, for `curl`, `fetch` and the AI SDK's text streams.

    The format cannot say that an answer was cut: the connection is broken then, and a client that does not look gets
    the text so far.
    """

    def __init__(self, stream: AnyStream, *, mask: Mask = mask_error, **options: Unpack[Options]) -> None:
        """Make the response.

        Args:
            stream: What to send.
            mask: What to tell the client of an error that comes before the first byte.
            options: See `Options`.
        """
        super().__init__(stream, Text().encoder(mask=mask), **options)


class UIMessageKind(ResponseBase):
    """The AI SDK's UI message stream, for `useChat` and `useCompletion`.

    Attributes:
        writer: Adds parts of the application's own.
    """

    def __init__(
        self,
        stream: AnyStream,
        *,
        mask: Mask = mask_error,
        message_id: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        send_finish_reason: bool = False,
        **options: Unpack[Options],
    ) -> None:
        """Make the response.

        Args:
            stream: What to send.
            mask: What to tell the client of an error.
            message_id: The message's id; a new one if `None`.
            metadata: The application's own, sent with the first part.
            send_finish_reason: Whether the last part has a `finishReason`, which clients before 5.0.100 die of.
            options: See `Options`.
        """
        encoder = UIMessage().encoder(
            mask=mask, message_id=message_id, metadata=metadata, send_finish_reason=send_finish_reason
        )
        super().__init__(stream, encoder, **options)
        self.writer = UIMessageWriter(encoder, self._answer)


class _OpenAIKind(ResponseBase):
    """The chunks of one of OpenAI's two formats."""

    _format: ClassVar[OpenAIChat | OpenAICompletions]

    def __init__(
        self,
        stream: AnyStream,
        *,
        mask: Mask = mask_error,
        model: str = "streamkit",
        response_id: str | None = None,
        include_usage: bool = False,
        **options: Unpack[Options],
    ) -> None:
        """Make the response.

        Args:
            stream: What to send.
            mask: What to tell the client of an error.
            model: The model's name, as the client is to see it.
            response_id: The response's id; a new one if `None`.
            include_usage: Whether a last chunk brings the usage, as `stream_options.include_usage` of a request asks.
            options: See `Options`.
        """
        encoder = self._format.encoder(mask=mask, model=model, response_id=response_id, include_usage=include_usage)
        super().__init__(stream, encoder, **options)


class OpenAIChatKind(_OpenAIKind):
    """The chunks of `/v1/chat/completions`."""

    _format = OpenAIChat()


class OpenAICompletionsKind(_OpenAIKind):
    """The chunks of `/v1/completions`."""

    _format = OpenAICompletions()


class TgiKind(ResponseBase):
    """The events of Text Generation Inference's `/generate_stream`, for `InferenceClient.text_generation`."""

    def __init__(self, stream: AnyStream, *, mask: Mask = mask_error, **options: Unpack[Options]) -> None:
        """Make the response.

        Args:
            stream: What to send.
            mask: What to tell the client of an error.
            options: See `Options`.
        """
        super().__init__(stream, Tgi().encoder(mask=mask), **options)


class NdjsonKind(ResponseBase):
    """streamkit's own events, one JSON object per line."""

    def __init__(self, stream: AnyStream, *, mask: Mask = mask_error, **options: Unpack[Options]) -> None:
        """Make the response.

        Args:
            stream: What to send.
            mask: What to tell the client of an error.
            options: See `Options`.
        """
        super().__init__(stream, Ndjson().encoder(mask=mask), **options)
