"""The AI SDK's routes: what `useChat` and `useCompletion` send, answered by a UI message stream or by plain text.

The two streams are asked for by the same requests, so each has paths of its own. A conversation comes as UI messages,
whose parts other than text are passed over; beside them, `model` names the pipeline, and `parameters` are generation
parameters by TGI's names.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import attrs
import msgspec

from streamkit.formats import Text, UIMessage
from streamkit.request import Message
from streamkit.web.gateway.asked import Asked, check_messages, stops_of
from streamkit.web.gateway.body import parse
from streamkit.web.gateway.refusals import RefusalError, told
from streamkit.web.gateway.settings import Limits
from streamkit.web.gateway.tgi import Generation


class _Common(msgspec.Struct, kw_only=True):
    model: str | None = None
    parameters: Generation | None = None


class AiChat(_Common, kw_only=True):
    """What `useChat` sends."""

    messages: list[Any]
    id: str | None = None


class AiCompletion(_Common, kw_only=True):
    """What `useCompletion` sends."""

    prompt: str


@attrs.frozen
class AiSdkRoute:
    """One of the AI SDK's routes.

    Args:
        dialect: The format of the answer.
        chat: Whether it takes a conversation; a prompt otherwise.
    """

    dialect: UIMessage | Text
    chat: bool

    def read(self, body: bytes, limits: Limits) -> Asked:
        """Read a request."""
        asked: AiChat | AiCompletion
        question: str | tuple[Message, ...]
        if self.chat:
            asked = parse(body, AiChat)
            question = tuple(_messages(check_messages(asked.messages, limits)))
        else:
            asked = parse(body, AiCompletion)
            question = asked.prompt
        if not question:
            raise RefusalError("There is no text in this request.", 422)
        parameters = asked.parameters or Generation()
        return Asked(
            question=question,
            parameters=parameters.asked(),
            stops=stops_of(parameters.stop),
            model=asked.model,
            encoder=lambda _model: self.dialect.encoder(mask=told),
            stream_id=asked.id if isinstance(asked, AiChat) else None,
        )

    def refuse(self, error: Exception) -> tuple[str, bytes]:
        """Return the sentence itself: the client shows the body to its user."""
        return self.dialect.encoder(mask=told).refuse(error)


def _messages(messages: Sequence[Message]) -> Iterator[Message]:
    """Yield UI messages in OpenAI's shape; one without text, such as a tool's result, is left out."""
    for message in messages:
        if message["role"] not in {"system", "user", "assistant"}:
            raise RefusalError("The role of a message is system, user or assistant.", 422)
        text = _text(message)
        if text:
            yield {"role": message["role"], "content": text}


def _text(message: Message) -> str:
    parts = message.get("parts")
    if not isinstance(parts, Sequence) or isinstance(parts, str):
        content = message.get("content")  # before the AI SDK 5
        return content if isinstance(content, str) else ""
    texts = (part.get("text") for part in parts if isinstance(part, Mapping) and part.get("type") == "text")
    return "".join(text for text in texts if isinstance(text, str))
