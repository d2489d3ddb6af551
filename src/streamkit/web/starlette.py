"""Responses for Starlette and FastAPI. FastAPI takes nothing but a Starlette `Response` for one, so these are such."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import Response

from streamkit.web import _kinds
from streamkit.web._response import ResponseBase
from streamkit.web._serving import Head, serve

if TYPE_CHECKING:
    from starlette.background import BackgroundTask
    from starlette.types import Receive, Scope, Send


class StreamResponse(ResponseBase, Response):
    """A response in any format: the base of the others.

    Headers, cookies and `background` are Starlette's own.
    """

    def _set_head(self, headers: dict[str, str]) -> None:
        self.status_code = 200
        self.background: BackgroundTask | None = None
        self.init_headers(headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI's shape
        """Send the response; see `serve`."""
        await serve(self._answer, self._setup, Head(self.status_code, self.raw_headers), receive, send)
        if self.background is not None:
            await self.background()


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
