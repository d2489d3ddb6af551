"""The emulated chat template: a conversation as one prompt."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


def render_chat(messages: Iterable[Mapping[str, Any]]) -> str:
    """Return a conversation in the form of the turns the n-gram model knows, ready for the assistant to speak.

    Args:
        messages: Turns in OpenAI's shape; of a content in parts, the text counts.
    """
    turns = (f"{str(turn.get('role', 'user')).capitalize()}: {_text(turn.get('content'))}\n" for turn in messages)
    return "".join(turns) + "Assistant:"


def _text(content: Any) -> str:
    if isinstance(content, list):
        return "".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return "" if content is None else str(content)
