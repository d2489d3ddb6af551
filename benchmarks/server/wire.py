"""The answers of this benchmark: prose whose every token has its number and the time it was sent, in two protocols.

A request says what it gets: its prompt is the pace in tokens per second, its most new tokens are their number.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from functools import cache
from typing import Any, Final, Literal, TypeAlias

import attrs

from benchmarks._prose import texts

Protocol: TypeAlias = Literal["tgi", "openai"]

PATHS: Final[dict[Protocol, str]] = {"tgi": "/generate_stream", "openai": "/v1/chat/completions"}
MODEL: Final = "bench"

TOKEN: Final = re.compile(rb'"(?:text|content)":\s*"(?:[^"\\]|\\.)*?(\d{5})@(\d{14})"')
"""A token on the wire: its number, and the monotonic clock of this machine in microseconds when it was sent."""

END_MARK: Final = b"</s>"
"""The text of TGI's last token, which is special."""


@attrs.frozen
class Asked:
    """What a request asks for.

    Args:
        tokens: How many.
        rate: How many a second.
    """

    tokens: int
    rate: float


def question(protocol: Protocol, asked: Asked) -> bytes:
    """Return the body of a request."""
    if protocol == "tgi":
        return _json({"inputs": f"{asked.rate}", "parameters": {"max_new_tokens": asked.tokens}})
    said = [{"role": "user", "content": f"{asked.rate}"}]
    return _json({"model": MODEL, "messages": said, "max_tokens": asked.tokens, "stream": True})


def asked(body: bytes) -> Asked:
    """Read the body of a request, in either protocol."""
    said = json.loads(body)
    if "inputs" in said:
        return Asked(said["parameters"]["max_new_tokens"], float(said["inputs"]))
    prompt = said["messages"][-1]["content"]
    if not isinstance(prompt, str):
        prompt = prompt[0]["text"]
    return Asked(said.get("max_tokens") or said["max_completion_tokens"], float(prompt))


@cache
def events(protocol: Protocol, count: int) -> list[bytes]:
    """Return the events of so many tokens, each with a place for its time: `event % time`."""
    return [_event(protocol, number, text) for number, text in enumerate(_texts(count))]


def ending(protocol: Protocol, times: Sequence[int]) -> bytes:
    """Return what TGI and OpenAI's servers say at the end of an answer whose tokens were sent at these times."""
    if protocol == "openai":
        chunk = _chunk({}) | {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
        return b"data: " + _json(chunk) + b"\n\ndata: [DONE]\n\n"
    token = {"id": 2, "text": END_MARK.decode(), "logprob": -0.1, "special": True}
    count = len(times) + 1
    details = {"finish_reason": "eos_token", "generated_tokens": count, "seed": None}
    text = b"".join(_texts(len(times))) % tuple(times)
    end = b'"generated_text":"%b","details":%b}' % (text, _json(details))
    return b'data:{"index":%d,"token":%b,%b\n\n' % (count, _json(token), end)


def chunked(data: bytes) -> bytes:
    """Return one chunk of HTTP's chunked coding."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def _event(protocol: Protocol, number: int, text: bytes) -> bytes:
    if protocol == "openai":
        return b"data: " + _json(_chunk({"content": "?"})).replace(b"%", b"%%").replace(b"?", text) + b"\n\n"
    return (
        b'data:{"index":%d,"token":{"id":%d,"text":"%b","logprob":-0.31640625,"special":false},'
        b'"generated_text":null,"details":null}\n\n' % (number + 1, number * 7 % 32000, text)
    )


def _chunk(delta: dict[str, Any]) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": None}
    return {
        "id": "chatcmpl-bench",
        "object": "chat.completion.chunk",
        "created": 1700000000,
        "model": MODEL,
        "choices": [choice],
    }


@cache
def _texts(count: int) -> list[bytes]:
    """Return the insides of the tokens' JSON strings, each with a place for its time."""
    return [
        _json(f"{text}{number:05d}@")[1:-1].replace(b"%", b"%%") + b"%014d" for number, text in enumerate(texts(count))
    ]


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
