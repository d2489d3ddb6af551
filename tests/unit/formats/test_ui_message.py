"""UI message streams as they are read, from any backend."""

import json

import pytest

from streamkit.errors import GenerationError, TruncatedStreamError
from streamkit.events import Finish, Token, ToolCallDelta, Usage
from streamkit.formats import UIMessage


def body(*parts, done=True):
    """Return a stream of parts."""
    lines = [f"data: {json.dumps(part)}\n\n" for part in parts]
    return "".join([*lines, "data: [DONE]\n\n" if done else ""]).encode()


def delta(text, kind="text"):
    """Return a delta."""
    return {"type": f"{kind}-delta", "id": "1", "delta": text}


def test_text_and_reasoning_are_tokens(read):
    """What else a backend sends is passed over."""
    events, decoder = read(
        UIMessage(),
        body(
            {"type": "start", "messageId": "m"},
            delta("hm", "reasoning"),
            delta("a"),
            {"type": "data-x", "data": {"delta": 1}},
            {"type": "source-url", "sourceId": "s", "url": "u"},
            {"type": "finish", "finishReason": "length"},
        ),
    )
    assert events == [Token("hm", channel="reasoning"), Token("a"), Finish(reason="length", raw_reason="length")]
    assert decoder.complete


def test_our_own_metadata_are_read(read):
    """They have what the protocol has no field for."""
    metadata = {"finishReason": "stop", "stopSequence": "x", "usage": {"inputTokens": 1, "outputTokens": 2}}
    events, _ = read(UIMessage(), body({"type": "finish", "messageMetadata": metadata}))
    usage = Usage(prompt_tokens=1, completion_tokens=2)
    assert events == [Finish(reason="stop_sequence", stop="x", raw_reason="stop", usage=usage)]


@pytest.mark.parametrize("metadata", [7, "x", [1], {"usage": 3}, {"finishReason": {}}])
def test_metadata_of_others_are_passed_over(read, metadata):
    """Metadata are the application's own, and may be anything."""
    assert read(UIMessage(), body({"type": "finish", "messageMetadata": metadata}))[0] == [Finish()]


def test_tools_are_read_in_pieces_or_whole(read):
    """Input that was not streamed is taken from the part that has it whole."""
    events, _ = read(
        UIMessage(),
        body(
            {"type": "tool-input-start", "toolCallId": "a", "toolName": "f"},
            {"type": "tool-input-delta", "toolCallId": "a", "inputTextDelta": "{}"},
            {"type": "tool-input-available", "toolCallId": "a", "toolName": "f", "input": {}},
            {"type": "tool-input-available", "toolCallId": "b", "toolName": "g", "input": {"x": 1}},
        ),
    )
    assert events[:-1] == [
        ToolCallDelta(index=0, id="a", name="f"),
        ToolCallDelta(index=0, arguments="{}"),
        ToolCallDelta(index=1, id="b", name="g"),
        ToolCallDelta(index=1, arguments='{"x": 1}'),
    ]


def test_finish_without_sentinel_is_an_end(read):
    """A backend that sends no `[DONE]` has said everything with `finish`."""
    assert read(UIMessage(), body({"type": "finish"}, done=False))[0] == [Finish()]


def test_the_sentinel_without_finish_is_an_end(read):
    """No client requires the part."""
    assert read(UIMessage(), body(delta("a")))[0] == [Token("a"), Finish()]


def test_an_error_is_an_error(read):
    """`[DONE]` after it does not make the answer whole."""
    _, decoder = read(UIMessage(), body({"type": "error", "errorText": "no"}))
    assert isinstance(decoder.error, GenerationError)
    assert str(decoder.error) == "no"


@pytest.mark.parametrize("end", [body({"type": "abort"}), b""])
def test_an_answer_that_was_cut_is_not_whole(read, end):
    """Neither an abort nor the end of the connection is a finish."""
    events, decoder = read(UIMessage(), body(delta("a"), done=False) + end)
    assert events == [Token("a")]
    assert isinstance(decoder.error, TruncatedStreamError)
