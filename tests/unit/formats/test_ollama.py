"""Ollama's native NDJSON."""

import pytest

from streamkit.errors import GenerationError, TruncatedStreamError
from streamkit.events import Finish, Token, ToolCallDelta, Usage
from streamkit.formats import Ollama


def test_chat(read):
    """Thinking, text and the counts of `/api/chat` are read, and the end leaves with its line."""
    body = (
        b'{"message":{"role":"assistant","content":"","thinking":"hm"},"done":false}\n'
        b'{"message":{"role":"assistant","content":"so"},"done":false}\n'
        b'{"message":{"content":""},"done":true,"done_reason":"stop","prompt_eval_count":3,"eval_count":2}\n'
    )
    assert read(Ollama(), body)[0] == [
        Token("hm", channel="reasoning"),
        Token("so"),
        Finish(reason="eos_token", raw_reason="stop", usage=Usage(prompt_tokens=3, completion_tokens=2)),
    ]
    assert isinstance(Ollama().decoder().feed(body)[-1], Finish)


def test_generate(read):
    """`/api/generate` says `response` where chat has a message; its last line may have no end."""
    body = b'{"response":"a","thinking":"t"}\r\n{"response":"","done":true,"done_reason":"length"}'
    assert read(Ollama(), body)[0] == [
        Token("t", channel="reasoning"),
        Token("a"),
        Finish(reason="length", raw_reason="length"),
    ]


def test_tool_calls_come_whole(read):
    """Arguments are the JSON text as sent; calls are numbered as they come; `stop` after calls means tool calls."""
    body = (
        b'{"message":{"tool_calls":[{"function":{"name":"f","arguments":{"a": [1]}}},{"function":{"name":"g"}}]}}\n'
        b'{"message":{"tool_calls":[{"id":"x","function":{"name":"h","arguments":{}}}]}}\n'
        b'{"done":true,"done_reason":"stop"}\n'
    )
    assert read(Ollama(), body)[0] == [
        ToolCallDelta(index=0, name="f", arguments='{"a": [1]}'),
        ToolCallDelta(index=1, name="g", arguments="{}"),
        ToolCallDelta(index=2, id="x", name="h", arguments="{}"),
        Finish(reason="tool_calls", raw_reason="stop"),
    ]


def test_error_line(read):
    """An error is a line like any other, with one key."""
    events, decoder = read(Ollama(), b'{"response":"a"}\n{"error":"runner died"}\n')
    assert events == [Token("a")]
    assert isinstance(decoder.error, GenerationError)
    assert str(decoder.error) == "runner died"


@pytest.mark.parametrize("rest", [b"", b'{"response":"b","do'])
def test_end_without_done_is_a_truncation(read, rest):
    """A body that stops before `done` is cut, also in the middle of a line."""
    events, decoder = read(Ollama(), b'{"response":"a"}\n' + rest)
    assert events == [Token("a")]
    assert isinstance(decoder.error, TruncatedStreamError)
