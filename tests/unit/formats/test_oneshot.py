"""Whole answers in one JSON body."""

import pytest

from streamkit.errors import FormatError, GenerationError
from streamkit.events import Finish, Token, ToolCallDelta, Usage
from streamkit.formats import decode_whole

CALL = b'{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}'
ANSWERS = {
    "tgi": (b'{"generated_text":"a"}', [Token("a"), Finish(generated_text="a")]),
    "tgi-list": (b'[{"generated_text":"a","details":null}]', [Token("a"), Finish(generated_text="a")]),
    "tgi-details": (
        b'{"generated_text":"a","details":{"finish_reason":"length","generated_tokens":2}}',
        [
            Token("a"),
            Finish(reason="length", raw_reason="length", generated_text="a", usage=Usage(completion_tokens=2)),
        ],
    ),
    "chat": (
        (
            b'\xef\xbb\xbf{"choices":[{"index":0,"message":{"content":"a","reasoning_content":"r"},"finish_reason":"stop"}],'
            b'"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}'
        ),
        [
            Token("r", channel="reasoning"),
            Token("a"),
            Finish(
                reason="eos_token",
                raw_reason="stop",
                usage=Usage(prompt_tokens=1, completion_tokens=1, total_tokens=2),
            ),
        ],
    ),
    "chat-tools": (
        b'{"choices":[{"message":{"content":null,"tool_calls":['
        + CALL
        + b","
        + CALL.replace(b'"c"', b'"d"')
        + b']},"finish_reason":"tool_calls"}]}',
        [
            ToolCallDelta(index=0, id="c", name="f", arguments="{}"),
            ToolCallDelta(index=1, id="d", name="f", arguments="{}"),
            Finish(reason="tool_calls", raw_reason="tool_calls"),
        ],
    ),
    "completions": (
        b'{"choices":[{"text":"a","finish_reason":"stop"}]}',
        [Token("a"), Finish(reason="eos_token", raw_reason="stop")],
    ),
    "ollama": (
        b'{"message":{"role":"assistant","content":"a"},"done":true,"done_reason":"stop"}',
        [Token("a"), Finish(reason="eos_token", raw_reason="stop")],
    ),
    "llamacpp": (
        b'{"content":"a","stop":true,"stop_type":"eos"}',
        [Token("a"), Finish(reason="eos_token", raw_reason="eos")],
    ),
}


@pytest.mark.parametrize(("body", "events"), ANSWERS.values(), ids=ANSWERS)
def test_answer(body, events):
    """The whole answer of each dialect gives what its stream would have given."""
    assert decode_whole(body) == events


def test_error():
    """A body that reports an error raises it."""
    with pytest.raises(GenerationError, match="too long") as caught:
        decode_whole(b'{"error":"too long","error_type":"validation"}')
    assert caught.value.kind == "validation"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"null",
        b"[]",
        b'"a"',
        b"{}",
        b'{"choices":[]}',
        b'{"choices":7}',
        b"[" * 9999,
        b'{"response":"a"}',
    ],
)
def test_anything_else_is_a_format_error(body):
    """A body that is neither an answer nor an error is refused."""
    with pytest.raises(FormatError):
        decode_whole(body)
