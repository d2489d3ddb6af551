"""What a dialect gives the server to send: a generated answer, or a plain response."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

import attrs
import msgspec

from streamkit.testing.emulator.generation import Step


def _as_bytes(body: bytes | str) -> bytes:
    return body.encode() if isinstance(body, str) else body


@attrs.frozen(kw_only=True)
class Response:
    """An HTTP response sent as it is, instead of anything the emulated engine would answer.

    Args:
        status: HTTP status.
        headers: Further response headers. With a `Content-Length` of its own, `cut` can break a promised length.
        body: The bytes to send; text is encoded as UTF-8.
        content_type: Media type; `None` sends none of our own.
        cut: Close the connection after the body without ending it: no terminating chunk is sent.
    """

    status: int = 200
    headers: Mapping[str, str] = attrs.field(factory=dict)
    body: bytes = attrs.field(default=b"", converter=_as_bytes)
    content_type: str | None = "text/plain; charset=utf-8"
    cut: bool = False

    @classmethod
    def json(cls, document: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
        """Return a response with a JSON body.

        Args:
            document: What to encode.
            status: HTTP status.
            headers: Further response headers.
        """
        body = msgspec.json.encode(document)
        return cls(status=status, headers=headers or {}, body=body, content_type="application/json")


class RefusalError(Exception):
    """A request the engine answers with an error response instead of a generation.

    Args:
        response: The answer.
    """

    def __init__(self, response: Response) -> None:
        super().__init__(response.status)
        self.response = response


class Answer:
    """One generation in a dialect: which bytes each step becomes. Does no I/O.

    Args:
        steps: The generation.
        stream: False to send one JSON document at the end.
    """

    content_type: ClassVar[str] = "text/event-stream"
    headers: ClassVar[Mapping[str, str]] = {"cache-control": "no-cache"}
    keep_alive: ClassVar[tuple[float, bytes] | None] = None
    """Seconds of silence after which the engine sends something, and what; `None` for never."""

    def __init__(self, steps: Iterator[Step], *, stream: bool) -> None:
        self.steps = steps
        self.stream = stream

    def chunks(self, step: Step) -> Sequence[bytes]:
        """Return what one step sends; each item is flushed as one HTTP chunk."""
        raise NotImplementedError

    def closing(self) -> Sequence[bytes]:
        """Return what follows the last step."""
        return ()

    def whole(self, steps: Sequence[Step]) -> Response:
        """Return the answer to a request without streaming."""
        raise NotImplementedError


def sse(document: Any) -> bytes:
    """Return one server-sent event with a JSON document, non-ASCII characters as they are."""
    return b"data: " + msgspec.json.encode(document) + b"\n\n"


DONE = b"data: [DONE]\n\n"
"""The end mark of OpenAI-shaped streams."""
