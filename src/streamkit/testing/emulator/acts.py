"""What an endpoint does on a connection, act by act: plain values, which faults change and a wire performs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal, TypeAlias

import attrs

from streamkit.testing.emulator.answers import Answer, Response
from streamkit.testing.emulator.generation import Step


@attrs.frozen(kw_only=True)
class Start:
    """Send the status line and headers.

    Args:
        status: HTTP status.
        headers: Response headers.
        unframed: The body has neither chunks nor a length, and ends where the connection does.
    """

    status: int = 200
    headers: Mapping[str, str] = attrs.field(factory=dict, hash=False)
    unframed: bool = False


@attrs.frozen
class Turn:
    """Wait for a token's turn; what it sends follows.

    Args:
        step: The token's step.
        keep_alive: Seconds of silence after which something is sent meanwhile, and what.
    """

    step: Step
    keep_alive: tuple[float, bytes] | None = None


@attrs.frozen
class Message:
    """Send one event in the framing of the answer: a server-sent event, or a line.

    Args:
        data: Its data, without line breaks.
        name: The event's name, where the framing has names.
    """

    data: bytes
    name: str | None = None


@attrs.frozen
class Comment:
    """Send what readers must pass over: a comment, or an empty line where the framing has no comments."""


@attrs.frozen
class Filler:
    """Send many bytes that mean nothing.

    Args:
        size: How many.
    """

    size: int


@attrs.frozen
class Pause:
    """Do nothing for a while.

    Args:
        seconds: How long; `math.inf` until the client leaves.
    """

    seconds: float


@attrs.frozen
class End:
    """End the body as HTTP wants it."""


@attrs.frozen
class Cut:
    """End the connection, and not the body.

    Args:
        how: `"fin"` closes it, `"rst"` resets it.
    """

    how: Literal["fin", "rst"] = "fin"


Act: TypeAlias = bytes | Start | Turn | Message | Comment | Filler | Pause | End | Cut
"""One act; bytes are sent at once, as one HTTP chunk where the body has chunks."""


def acts_of(reply: Answer | Response) -> Iterator[Act]:
    """Return what it takes to send a reply; a generation goes on while its acts are read."""
    if isinstance(reply, Response):
        return _respond(reply)
    return _stream(reply) if reply.stream else _collect(reply)


def _stream(answer: Answer) -> Iterator[Act]:
    yield Start(headers={"Content-Type": answer.content_type, **answer.headers})
    for step in answer.steps:
        yield Turn(step, answer.keep_alive)
        yield from answer.chunks(step)
    yield from answer.closing()
    yield End()


def _collect(answer: Answer) -> Iterator[Act]:
    steps = []
    for step in answer.steps:
        yield Turn(step)
        steps.append(step)
    yield from _respond(answer.whole(steps))


def _respond(response: Response) -> Iterator[Act]:
    headers = {} if response.content_type is None else {"Content-Type": response.content_type}
    headers.update(response.headers)
    promised = any(name.lower() == "content-length" for name in headers)
    if not response.cut and not promised:
        headers["Content-Length"] = str(len(response.body))
    yield Start(status=response.status, headers=headers)
    if response.body:
        yield response.body
    yield Cut() if response.cut else End()
