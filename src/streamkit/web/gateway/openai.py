"""OpenAI's routes: `/v1/chat/completions` and `/v1/completions`, streamed or in one piece.

`n` and log-probabilities are refused, as an answer here is one and is text; whatever else is unknown is passed over, as
engines do.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias

import attrs
import msgspec

from streamkit.events import Token
from streamkit.formats import OpenAIChat, OpenAICompletions
from streamkit.formats._encoding import new_id
from streamkit.formats._openai_encoder import counts_of, reason_of
from streamkit.protocols import Encoder
from streamkit.request import Message
from streamkit.result import RunResult
from streamkit.web.gateway.asked import Asked, Natural, check_messages, given, stops_of
from streamkit.web.gateway.body import parse
from streamkit.web.gateway.refusals import RefusalError, told
from streamkit.web.gateway.settings import Limits
from streamkit.web.gateway.whole import Document, WholeEncoder

Choice: TypeAlias = Callable[[RunResult], tuple[str, str, Mapping[str, Any]]]
"""Makes, of a result, the kind of the document, the prefix of its id, and what its choice says."""

_OWN_NAMES: Final = {"max_tokens": "max_new_tokens", "max_completion_tokens": "max_new_tokens"}
"""What is called otherwise here; OpenAI's newer name comes last, and wins."""


class _StreamOptions(msgspec.Struct):
    include_usage: bool | None = None


class _Body(msgspec.Struct, kw_only=True):
    model: str | None = None
    stream: bool | None = None
    stream_options: _StreamOptions | None = None
    stop: str | list[str] | None = None
    n: int | None = None
    logprobs: bool | int | None = None
    max_tokens: Natural | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    min_p: float | None = None
    seed: int | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    repetition_penalty: float | None = None
    logit_bias: dict[str, float] | None = None


class ChatBody(_Body, kw_only=True):
    """The body of `/v1/chat/completions`."""

    messages: list[Any]
    max_completion_tokens: Natural | None = None
    tools: list[Any] | None = None
    tool_choice: Any = None
    parallel_tool_calls: bool | None = None
    response_format: Any = None
    reasoning_effort: str | None = None
    chat_template_kwargs: dict[str, Any] | None = None


class CompletionsBody(_Body, kw_only=True):
    """The body of `/v1/completions`."""

    prompt: str | list[Any]


_NO_PARAMETERS: Final = {"model", "stream", "stream_options", "stop", "n", "logprobs", "messages", "prompt"}


@attrs.frozen
class ChatRoute:
    """`/v1/chat/completions`."""

    def read(self, body: bytes, limits: Limits) -> Asked:
        """Read a request."""
        asked = parse(body, ChatBody)
        return _asked(asked, check_messages(asked.messages, limits), OpenAIChat(), _chat)

    def refuse(self, error: Exception) -> tuple[str, bytes]:
        """Return OpenAI's body of an error."""
        return OpenAIChat().encoder(mask=told).refuse(error)


@attrs.frozen
class CompletionsRoute:
    """`/v1/completions`."""

    def read(self, body: bytes, _limits: Limits) -> Asked:
        """Read a request."""
        asked = parse(body, CompletionsBody)
        prompt = asked.prompt[0] if isinstance(asked.prompt, list) and len(asked.prompt) == 1 else asked.prompt
        if not isinstance(prompt, str) or not prompt:
            raise RefusalError("`prompt` is one text: several prompts and token ids are not supported.", 400)
        return _asked(asked, prompt, OpenAICompletions(), _completion)

    def refuse(self, error: Exception) -> tuple[str, bytes]:
        """Return OpenAI's body of an error."""
        return OpenAICompletions().encoder(mask=told).refuse(error)


def _asked(
    asked: _Body, question: str | tuple[Message, ...], dialect: OpenAIChat | OpenAICompletions, choice: Choice
) -> Asked:
    if asked.n not in {None, 1}:
        raise RefusalError("`n` other than 1 is not supported: one request is one answer.", 400)
    if asked.logprobs is not None and asked.logprobs is not False:
        raise RefusalError("`logprobs` are not supported.", 400)
    usage = bool(asked.stream_options and asked.stream_options.include_usage)

    def encoder(model: str) -> Encoder:
        return dialect.encoder(mask=told, model=model, include_usage=usage)

    return Asked(
        question=question,
        parameters=_parameters(asked),
        stops=stops_of(asked.stop),
        model=asked.model,
        encoder=encoder if asked.stream else lambda model: WholeEncoder(_document(model, choice), encoder(model)),
    )


def _parameters(asked: _Body) -> dict[str, Any]:
    parameters = {
        _OWN_NAMES.get(name, name): getattr(asked, name)
        for name in asked.__struct_fields__
        if name not in _NO_PARAMETERS and getattr(asked, name) is not None
    }
    return given(parameters)


def _document(model: str, choice: Choice) -> Document:
    def document(result: RunResult, _tokens: Sequence[Token]) -> Any:
        kind, prefix, said = choice(result)
        answer = {
            "id": new_id(prefix),
            "object": kind,
            "created": int(time.time()),
            "model": model,
            "choices": [{"index": 0, **said, "logprobs": None, "finish_reason": reason_of(result)}],
        }
        if result.usage is not None:
            answer["usage"] = counts_of(result.usage)
        return answer

    return document


def _chat(result: RunResult) -> tuple[str, str, Mapping[str, Any]]:
    message: dict[str, Any] = {"role": "assistant", "content": result.text or (None if result.tool_calls else "")}
    if result.reasoning:
        message["reasoning_content"] = result.reasoning
    if result.tool_calls:
        message["tool_calls"] = [
            {
                "id": call.id or new_id("call_"),
                "type": "function",
                "function": {"name": call.name or "", "arguments": call.arguments},
            }
            for call in result.tool_calls
        ]
    return "chat.completion", "chatcmpl-", {"message": message}


def _completion(result: RunResult) -> tuple[str, str, Mapping[str, Any]]:
    return "text_completion", "cmpl-", {"text": result.text}
