"""The objects of OpenAI-shaped streams, with every key optional: no two engines send the same ones."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

import msgspec

from streamkit.events import Token, Usage


class LogprobEntry(msgspec.Struct):
    """One entry of a chat chunk's `logprobs.content`; `id` is llama.cpp's."""

    token: str = ""
    id: int | None = None
    logprob: float | None = None


class Logprobs(msgspec.Struct):
    """The log-probabilities of a choice: `content` in chat streams, the two lists in completions streams."""

    content: list[LogprobEntry] | None = None
    tokens: list[str] | None = None
    token_logprobs: list[float | None] | None = None


class Function(msgspec.Struct):
    """What a tool call calls; `arguments` is JSON text, or the object itself in whole answers of TGI before 3.1."""

    name: str | None = None
    arguments: Any = None


class ToolCall(msgspec.Struct):
    """A piece of a tool call; later pieces have null or no `id` and `name`, or repeat them."""

    index: int | None = None
    id: str | None = None
    function: Function | None = None


class Delta(msgspec.Struct):
    """What a chat chunk adds; `reasoning_content` and `reasoning` are two names of one thing."""

    content: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    tool_calls: list[ToolCall] | None = None


class Choice(msgspec.Struct):
    """One of the answers; the stop sequence that matched is vLLM's `stop_reason`, SGLang's `matched_stop`."""

    index: int = 0
    logprobs: Logprobs | None = None
    finish_reason: str | None = None
    stop_reason: Any = None
    matched_stop: Any = None


class ChatChoice(Choice):
    """A choice of a chat stream."""

    delta: Delta | None = None


class TextChoice(Choice):
    """A choice of a completions stream."""

    text: str | None = None


AnyChoice = TypeVar("AnyChoice", bound=Choice)


class Chunk(msgspec.Struct, Generic[AnyChoice]):
    """One event of a stream; `choices` is empty or absent on a chunk that only brings usage."""

    choices: list[AnyChoice] | None = None
    usage: Usage | None = None
    error: Any = None


def tokens_of(text: str, channel: str, logprobs: Logprobs | None) -> list[Token]:
    """Return the tokens of a piece of text.

    An engine sends several tokens in one chunk when it decodes speculatively or falls behind. The text is parted
    only where the entries' texts join to exactly the text; a lone entry counts for the whole text in any case.

    Args:
        text: What the chunk adds, in characters; not empty.
        channel: The channel of the tokens.
        logprobs: What the engine says about them.
    """
    entries = _entries(logprobs) if logprobs is not None else []
    if len(entries) == 1:
        return [Token(text, entries[0].id, entries[0].logprob, channel=channel)]
    if len(entries) > 1 and "".join([entry.token for entry in entries]) == text:
        return [Token(entry.token, entry.id, entry.logprob, channel=channel) for entry in entries]
    return [Token(text, channel=channel)]


def _entries(logprobs: Logprobs) -> list[LogprobEntry]:
    if logprobs.content is not None:
        return logprobs.content
    tokens, values = logprobs.tokens or [], logprobs.token_logprobs or []
    if len(tokens) != len(values):
        return []
    return [LogprobEntry(token, None, value) for token, value in zip(tokens, values, strict=True)]
