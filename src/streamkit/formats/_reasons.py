"""Why a model's answer ended: the words of all engines in one vocabulary."""

from __future__ import annotations

from streamkit.events import FinishReason

_REASONS: dict[str, FinishReason] = {
    "stop": "eos_token",
    "eos": "eos_token",
    "eos_token": "eos_token",
    "end_turn": "eos_token",
    "stop_sequence": "stop_sequence",
    "word": "stop_sequence",  # llama.cpp, stop_type
    "length": "length",
    "limit": "length",  # llama.cpp, stop_type
    "max_tokens": "length",
    "max_new_tokens": "length",
    "max_length": "length",
    "model_length": "length",  # Mistral
    "tool_calls": "tool_calls",
    "tool_call": "tool_calls",
    "tool_use": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "content_filter",
    "safety": "content_filter",
    "error": "error",
    "abort": "error",
    "cancelled": "error",
}


def normalise(raw: str | None, stop: str | None) -> FinishReason | None:
    """Translate an engine's finish reason.

    Most engines say `stop` for an end-of-sequence token and for a stop sequence alike; those that name the
    sequence which matched let the two be told apart.

    Args:
        raw: The engine's word.
        stop: The stop sequence which the engine says has matched.

    Returns:
        The reason; `None` for no word, or one that is not known.
    """
    reason = _REASONS.get(raw.lower()) if raw else None
    return "stop_sequence" if stop is not None and reason == "eos_token" else reason
