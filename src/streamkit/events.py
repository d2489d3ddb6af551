"""What flows through a pipeline: small frozen values, in the order the model produced them.

A stream is any number of `Token` and `ToolCallDelta` events and then one `Finish`, the last event. An `Attempt` may
come before the first token. Text is
carried by tokens only. Field names are those of Text Generation Inference (`token.text`, `token.id`,
`token.logprob`, `token.special`), the first engine whose streams this library read.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal, TypeAlias

import attrs

FinishReason: TypeAlias = Literal["eos_token", "stop_sequence", "length", "tool_calls", "content_filter", "error"]
"""Why a model's answer ended, in one vocabulary for every engine."""


@attrs.frozen
class Token:
    """One token of the answer, or the visible part of one.

    A transform that hides or cuts text keeps the token and shortens `text`; the text as the model produced it
    stays in `raw`. When a transform lets a token go in two pieces, the first piece carries `id` and `logprob`
    and the second is marked by `cont`, so every id appears once.

    Args:
        text: Visible text, in characters; may be empty.
        id: The token's number in the model's vocabulary, where the engine sends it.
        logprob: Natural logarithm of the token's probability, where the engine sends it.
        special: True for a control token of the vocabulary (`</s>`, `<|im_end|>`, ...).
        channel: What the text is: `"text"` for the answer, `"reasoning"` for a model's thinking, or a name of
            a transform's own.
        raw: The whole text as the model produced it when `text` is not all of it; `None` when it is.
        cont: True for a further piece of a token whose first piece has gone out already.
    """

    text: str
    id: int | None = None
    logprob: float | None = None
    special: bool = False
    channel: str = "text"
    raw: str | None = None
    cont: bool = False


@attrs.frozen(kw_only=True)
class ToolCallDelta:
    """A piece of a tool call; pieces with the same `index` belong to one call and their `arguments` are joined.

    Args:
        index: Position of the call in the answer, from 0.
        id: The engine's name for the call, on the first piece.
        name: The tool's name, on the first piece.
        arguments: A fragment of the JSON text of the arguments.
    """

    index: int = 0
    id: str | None = None
    name: str | None = None
    arguments: str = ""


@attrs.frozen(kw_only=True)
class Usage:
    """Token counts as the engine reported them; never estimated here.

    Args:
        prompt_tokens: Tokens in the prompt.
        completion_tokens: Tokens generated.
        total_tokens: Their sum, as reported.
    """

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    total_tokens: int | None = None


@attrs.frozen(kw_only=True)
class Finish:
    """The end of the answer: the last event of a stream, once.

    Args:
        reason: Why it ended, normalised; `None` when the engine did not say (TGI without `details`).
        stop: The stop sequence that ended it, when one did and it is known.
        usage: Token counts, when the engine reported them.
        raw_reason: The reason in the engine's own word.
        generated_text: The whole answer as the engine itself assembled it, where it does (TGI's last event); it does
            not leave the chain, which it has not passed.
        reconciled: Whether the tokens came to that text; `None` where nobody can tell.
    """

    reason: FinishReason | None = None
    stop: str | None = None
    usage: Usage | None = None
    raw_reason: str | None = None
    generated_text: str | None = None
    reconciled: bool | None = None


@attrs.frozen(kw_only=True)
class Attempt:
    """A try that failed before its first token, and another that follows; it passes the chain as it is.

    Args:
        number: The try that failed, from 1.
        error: Why, in one sentence.
        wait: Seconds until the next try.
    """

    number: int
    error: str
    wait: float


Event: TypeAlias = Token | ToolCallDelta | Finish | Attempt

KINDS: Final = (Token, ToolCallDelta, Finish, Attempt)
"""The classes of events, as `isinstance` takes them quickest."""


def answers(batch: Sequence[Event]) -> bool:
    """Tell whether events that arrived together carry anything of an answer, or only tell of tries that failed."""
    return any(type(event) is not Attempt for event in batch)
