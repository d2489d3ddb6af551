"""Responses for Django, under ASGI and under WSGI, from synchronous and asynchronous views.

Django renders a response that has a method `render` before its middleware sees it: that is where the first bytes are
waited for, so that middleware sees the status of an error. Under ASGI, Django cancels a request whose client has left.
Under WSGI nothing tells, and a write fails at last.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

from asgiref.sync import markcoroutinefunction
from django.http import StreamingHttpResponse

from streamkit.web import _kinds
from streamkit.web._async_body import AsyncBody
from streamkit.web._response import ResponseBase
from streamkit.web._statuses import Refusal
from streamkit.web._sync_body import SyncBody


class StreamResponse(ResponseBase, StreamingHttpResponse):
    """A response in any format: the base of the others.

    Headers and cookies are Django's own.
    """

    def _set_head(self, headers: dict[str, str]) -> None:
        self._callbacks: list[Callable[[StreamResponse], Any]] = []
        # Without a content coding of its own, Django's GZipMiddleware compresses it, and holds everything back for it.
        StreamingHttpResponse.__init__(self, headers={"content-encoding": "identity"} | headers)

    def render(self) -> Any:
        """Wait for the first bytes: Django calls it, and awaits it where it runs in an event loop."""
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return self._render()
        return self._arender()

    markcoroutinefunction(render)  # so that Django calls it in the loop; without one it does not look

    def add_post_render_callback(self, callback: Callable[[StreamResponse], Any]) -> None:
        """Call something once the status is known: decorators such as `csrf_protect` want to."""
        self._callbacks.append(callback)

    def _render(self) -> Any:
        body = SyncBody(self._answer, self._setup)
        body.open()
        refusal = self._refusal()
        self.streaming_content = _closing(body) if refusal is None else [refusal.body]
        return self._rendered()

    async def _arender(self) -> Any:
        body = AsyncBody(self._answer, self._setup)
        try:
            await body.open()
        except BaseException:
            await body.aclose()
            raise
        refusal = self._refusal()
        self.streaming_content = _aclosing(body) if refusal is None else _once(refusal.body)
        return self._rendered()

    def _refusal(self) -> Refusal | None:
        refusal = self._answer.refusal
        if refusal is not None:
            self.status_code = refusal.status
            for name, value in refusal.headers.items():
                self.headers[name] = value
        return refusal

    def _rendered(self) -> Any:
        response: Any = self
        for callback in self._callbacks:
            response = callback(response) or response
        return response


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


def _closing(body: SyncBody) -> Iterator[bytes]:
    try:
        yield from body
    finally:
        body.close()


async def _aclosing(body: AsyncBody) -> AsyncIterator[bytes]:
    try:
        async for data in body:
            yield data
    finally:
        await body.aclose()


async def _once(data: bytes) -> AsyncIterator[bytes]:
    yield data
