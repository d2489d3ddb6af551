"""Questions and answers as JSON, in the shape that the conventions give to messages: a role and typed parts."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from streamkit import Request, RunResult


def asked(request: Request) -> str:
    """Return the question, as the value of `gen_ai.input.messages`."""
    if request.messages is None:
        return _dump([{"role": "user", "parts": [_text(request.prompt)]}])
    return _dump([_message(message) for message in request.messages])


def answered(result: RunResult) -> str:
    """Return the answer as far as it got, as the value of `gen_ai.output.messages`."""
    parts: list[dict[str, Any]] = []
    if result.reasoning:
        parts.append({"type": "reasoning", "content": result.reasoning})
    if result.text:
        parts.append(_text(result.text))
    parts += [_call(call.id, call.name, call.arguments) for call in result.tool_calls]
    return _dump([{"role": "assistant", "parts": parts, "finish_reason": result.finish_reason}])


def _message(message: Mapping[str, Any]) -> dict[str, Any]:
    content = message.get("content")
    if message["role"] == "tool":
        response = {"type": "tool_call_response", "id": message.get("tool_call_id"), "response": content}
        return {"role": "tool", "parts": [response]}
    if isinstance(content, str):
        parts = [_text(content)]
    else:
        parts = [_text(part["text"]) if part.get("type") == "text" else part for part in content or ()]
    parts += _calls(message.get("tool_calls") or ())
    return {"role": message["role"], "parts": parts}


def _calls(calls: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [_call(call.get("id"), call["function"].get("name"), call["function"].get("arguments")) for call in calls]


def _call(identifier: Any, name: Any, arguments: Any) -> dict[str, Any]:
    return {"type": "tool_call", "id": identifier, "name": name, "arguments": arguments}


def _text(content: Any) -> dict[str, Any]:
    return {"type": "text", "content": content}


def _dump(messages: list[dict[str, Any]]) -> str:
    return json.dumps(messages, ensure_ascii=False, default=str)
