"""The line on stderr that says how an answer came about."""

from __future__ import annotations

from streamkit.result import RunResult


def closing_line(result: RunResult) -> str:
    r"""Say how long the first token took, how fast the others came, how many there were and why they ended.

    Tokens are counted by the engine where it reports usage, and otherwise as the pieces that arrived; their rate is
    that of the tokens after the first, from the first to the end.

    Args:
        result: How the run ended.

    Returns:
        Such as `first token 182 ms · 41.3 tokens/s · 57 tokens · stop_sequence '\nUser:'`.
    """
    tokens = tokens_of(result)
    parts = []
    first = result.timings.first_token
    if first is not None:
        parts.append(f"first token {first * 1000:.0f} ms")
        generating = result.timings.total - first
        if tokens > 1 and generating > 0:
            parts.append(f"{(tokens - 1) / generating:.1f} tokens/s")
    parts.append(f"{tokens} token{'' if tokens == 1 else 's'}")
    parts.append(_ending(result))
    if result.reconciled is False:
        parts.append("not the text that the server says it generated")
    return " · ".join(parts)


def tokens_of(result: RunResult) -> int:
    """Return how many tokens an answer has: as the engine counts them, or else as pieces arrived."""
    counted = result.usage.completion_tokens if result.usage is not None else None
    return result.tokens if counted is None else counted


def _ending(result: RunResult) -> str:
    if result.outcome != "completed":
        return result.outcome
    reason = result.finish_reason or "no finish reason given"
    return reason if result.stop is None else f"{reason} {result.stop!r}"
