"""Responses that are ASGI applications, for whatever takes one for a response."""

from __future__ import annotations

from streamkit.web import _kinds
from streamkit.web._response import ResponseBase
from streamkit.web._serving import Head, Message, RawHeaders, Receive, Send, serve


class StreamResponse(ResponseBase):
    """A response in any format: the base of the others."""

    def _set_head(self, headers: dict[str, str]) -> None:
        self.status_code = 200
        self.raw_headers: RawHeaders = [
            (name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()
        ]

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI's shape
        """Send the response; see `serve`."""
        await serve(self._answer, self._setup, Head(self.status_code, self.raw_headers), receive, send)


class StreamingTextResponse(_kinds.TextKind, StreamResponse):
    """The text of the answer and nothing else."""


class UIMessageResponse(_kinds.UIMessageKind, StreamResponse):
    """The AI SDK's UI message stream, with a `writer` for parts of the application's own."""


class OpenAIChatResponse(_kinds.OpenAIChatKind, StreamResponse):
    """The chunks of `/v1/chat/completions`."""


class OpenAICompletionsResponse(_kinds.OpenAICompletionsKind, StreamResponse):
    """The chunks of `/v1/completions`."""


class TgiResponse(_kinds.TgiKind, StreamResponse):
    """The events of Text Generation Inference's `/generate_stream`."""


class NdjsonResponse(_kinds.NdjsonKind, StreamResponse):
    """streamkit's own events, one JSON object per line."""
