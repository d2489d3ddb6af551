"""Responses that are WSGI applications: Flask takes one for a response, and so do others.

WSGI does not tell an application that its client has left: a write fails, and until there is something to write nothing
is known. Werkzeug's and gunicorn's servers show their socket, which is looked at meanwhile.
"""

from __future__ import annotations

import select
import socket
from collections.abc import Callable, Iterable
from functools import partial
from http import HTTPStatus
from typing import Any

from streamkit.web import _kinds
from streamkit.web._response import ResponseBase
from streamkit.web._sync_body import SyncBody


class StreamResponse(ResponseBase):
    """A response in any format: the base of the others."""

    def _set_head(self, headers: dict[str, str]) -> None:
        self.status_code = 200
        self.headers = headers

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Read until it is known what the response is, and return its body."""
        body = SyncBody(self._answer, self._setup, _watch(environ))
        body.open()
        refusal = self._answer.refusal
        if refusal is not None:
            start_response(_line(refusal.status), [*(self.headers | refusal.headers).items()])
            return [refusal.body]
        start_response(_line(self.status_code), [*self.headers.items()])
        return body


def _line(status: int) -> str:
    return f"{status} {HTTPStatus(status).phrase}"


def _watch(environ: dict[str, Any]) -> Callable[[], bool] | None:
    """Return a look at the client's socket; `None` where the server does not show it, or it is encrypted."""
    sock = environ.get("werkzeug.socket") or environ.get("gunicorn.socket")
    return partial(_closed, sock) if type(sock) is socket.socket else None


def _closed(sock: socket.socket) -> bool:
    """Tell whether the other side has closed a connection: it can be read, and there is nothing to read."""
    try:
        poll = select.poll()
        poll.register(sock, select.POLLIN)
        return bool(poll.poll(0)) and not sock.recv(1, socket.MSG_PEEK)
    except (OSError, ValueError):
        return True


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
