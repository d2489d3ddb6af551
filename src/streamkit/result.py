"""What a run comes to: its text, how it ended and why, and what it took."""

from __future__ import annotations

from typing import Literal, TypeAlias

import attrs

from streamkit.events import FinishReason, Usage

Outcome: TypeAlias = Literal["completed", "aborted", "failed"]


@attrs.frozen(kw_only=True)
class ToolCall:
    """A tool call put together from its pieces.

    Args:
        id: The engine's name for the call.
        name: The tool's name.
        arguments: JSON text as the model wrote it; incomplete if the answer was cut.
    """

    id: str | None
    name: str | None
    arguments: str


@attrs.frozen(kw_only=True)
class Timings:
    """How long it took, in seconds on a monotonic clock from the start of the run.

    Args:
        first_token: Until the first token was read; `None` if there was none.
        total: Until the run was settled.
    """

    first_token: float | None
    total: float


@attrs.frozen(kw_only=True)
class RunResult:
    """What one run came to; there is exactly one for each run.

    Args:
        text: The clean text, as far as it got.
        outcome: `completed`, `aborted` (the consumer left) or `failed`.
        finish_reason: Why the model's answer ended, normalised; `None` when nobody said.
        stop: The stop sequence that ended it.
        usage: Token counts the engine reported.
        timings: How long it took.
        error: What ended a failed run.
        tokens: Tokens read from the source.
        reasoning: The text of the reasoning channel.
        tool_calls: Tool calls, in the order of their index.
        raw_reason: The finish reason in the engine's word.
        reconciled: Whether the tokens read came to the text that the engine says it generated; `False` means that
            some were lost or changed on their way, `None` that nobody can tell.
        held: Text behind `text` that the transforms held back when the run was left or failed. It may be part of a
            stop sequence or an end mark, so it was not shown; empty for a completed run.
    """

    text: str
    outcome: Outcome
    finish_reason: FinishReason | None
    stop: str | None
    usage: Usage | None
    timings: Timings
    error: Exception | None
    tokens: int
    reasoning: str
    tool_calls: tuple[ToolCall, ...]
    raw_reason: str | None
    reconciled: bool | None
    held: str = ""
