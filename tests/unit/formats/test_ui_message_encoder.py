"""UI message streams as they are written, for the strictest of clients."""

import pytest

from streamkit.errors import GenerationError
from streamkit.events import Attempt, Finish, Token, ToolCallDelta, Usage
from streamkit.formats import UIMessage

START = [{"type": "start", "messageId": "m"}, {"type": "start-step"}]
END = [{"type": "finish-step"}, {"type": "finish"}, "[DONE]"]


def encoder(**options):
    """Return an encoder of a message with a known id."""
    return UIMessage().encoder(message_id="m", **options)


def test_text_is_one_part(written, payloads):
    """All deltas of a text have the id of the part that was opened for them."""
    assert payloads(written(encoder(), [Token("a"), Token(""), Token("b")])) == [
        *START,
        {"type": "text-start", "id": "1"},
        {"type": "text-delta", "id": "1", "delta": "a"},
        {"type": "text-delta", "id": "1", "delta": "b"},
        {"type": "text-end", "id": "1"},
        *END,
    ]


def test_each_change_of_channel_closes_a_part_and_opens_one(written, payloads):
    """Parts never overlap, ids are never used twice, and a channel of a transform's own is left out."""
    channels = ["reasoning", "text", "other", "text", "reasoning"]
    parts = payloads(written(encoder(), [Token("a", channel=channel) for channel in channels]))
    assert [(part["type"], part["id"]) for part in parts[2:-3]] == [
        (f"{channel}-{step}", number)
        for channel, steps, number in [
            ("reasoning", ["start", "delta", "end"], "1"),
            ("text", ["start", "delta", "delta", "end"], "2"),
            ("reasoning", ["start", "delta", "end"], "3"),
        ]
        for step in steps
    ]


def test_tool_calls_are_streamed_and_then_told_whole(written, payloads):
    """A call without an id gets one; input over several lines is one line of the protocol."""
    events = [
        Token("Let me see"),
        ToolCallDelta(index=0, id="c", name="f", arguments='{\n "a":'),
        ToolCallDelta(index=1, name="g"),
        ToolCallDelta(index=0, arguments=" 12345678901234567890123}"),
        Finish(reason="tool_calls"),
    ]
    parts = payloads(written(encoder(), events))
    assert parts[4:-3] == [
        {"type": "text-end", "id": "1"},
        {"type": "tool-input-start", "toolCallId": "c", "toolName": "f"},
        {"type": "tool-input-delta", "toolCallId": "c", "inputTextDelta": '{\n "a":'},
        {"type": "tool-input-start", "toolCallId": "m-1", "toolName": "g"},
        {"type": "tool-input-delta", "toolCallId": "c", "inputTextDelta": " 12345678901234567890123}"},
        {"type": "tool-input-available", "toolCallId": "c", "toolName": "f", "input": {"a": 12345678901234567890123}},
        {"type": "tool-input-available", "toolCallId": "m-1", "toolName": "g", "input": {}},
    ]


def test_a_call_waits_for_its_name(written, payloads):
    """A part without a name would end the stream; a call that never gets one is not told."""
    events = [
        ToolCallDelta(index=0, arguments="{"),
        ToolCallDelta(index=0, name="f", arguments="}"),
        ToolCallDelta(index=1, arguments="{}"),
    ]
    types = [(part["type"], part.get("inputTextDelta")) for part in payloads(written(encoder(), events))[2:-3]]
    assert types == [("tool-input-start", None), ("tool-input-delta", "{}"), ("tool-input-available", None)]


def test_input_that_is_not_json_is_told_as_such(written, payloads):
    """A model may write anything."""
    parts = payloads(written(encoder(), [ToolCallDelta(id="c", name="f", arguments='{"a')]))
    assert parts[-4]["type"] == "tool-input-error"
    assert (parts[-4]["input"], parts[-4]["toolName"]) == ('{"a', "f")


def test_finish_reason_and_usage_are_metadata(written, payloads):
    """Strict clients know no `finishReason`; what is unknown is left out."""
    usage = Usage(prompt_tokens=4, completion_tokens=2)
    finish = Finish(reason="stop_sequence", stop="\nUser:", usage=usage)
    assert payloads(written(encoder(), [finish]))[-2] == {
        "type": "finish",
        "messageMetadata": {
            "finishReason": "stop",
            "stopSequence": "\nUser:",
            "usage": {"inputTokens": 4, "outputTokens": 2},
        },
    }


@pytest.mark.parametrize(
    ("reason", "word"),
    [(None, "other"), ("length", "length"), ("tool_calls", "tool-calls"), ("content_filter", "content-filter")],
)
def test_the_finish_reason_is_sent_on_demand(written, payloads, reason, word):
    """It is one of the client's words."""
    assert payloads(written(encoder(send_finish_reason=True), [Finish(reason=reason)]))[-2]["finishReason"] == word


def test_an_error_closes_the_part_and_is_masked(written, payloads):
    """The client gets the text so far, and a message that tells nothing."""
    parts = payloads(written(encoder(), [Token("a")], error=GenerationError("http://internal")))
    assert parts[-3:] == [
        {"type": "text-end", "id": "1"},
        {"type": "error", "errorText": "An error occurred."},
        "[DONE]",
    ]


def test_an_abort_is_told(written, payloads):
    """A stop by the server has a part of its own, without a reason, which strict clients do not know."""
    parts = payloads(written(encoder(), [Token("a")], outcome="aborted"))
    assert parts[-3:] == [{"type": "text-end", "id": "1"}, {"type": "abort"}, "[DONE]"]


def test_metadata_of_the_application_comes_first(written, payloads):
    """It is in the first part, and may be added to later."""
    writer = encoder(metadata={"model": "m"})
    assert payloads(written(writer, []))[0]["messageMetadata"] == {"model": "m"}
    assert payloads(writer.metadata({"a": 1})) == [{"type": "message-metadata", "messageMetadata": {"a": 1}}]


def test_data_parts_have_what_was_given(payloads):
    """Optional fields are left out, and null as data is data."""
    writer = encoder()
    assert payloads(writer.data("a", None)) == [{"type": "data-a", "data": None}]
    assert payloads(writer.data("a.b-c_1", [1], id="x", transient=True)) == [
        {"type": "data-a.b-c_1", "data": [1], "id": "x", "transient": True}
    ]


@pytest.mark.parametrize("name", ["", "a b", "a\n", "ä", "-a"])
def test_names_of_data_parts_are_names(name):
    """What would be no type is refused."""
    with pytest.raises(ValueError, match="data part"):
        encoder().data(name, 1)


def test_failed_tries_are_the_servers_affair(written):
    """What went wrong before is not told."""
    assert b"secret" not in written(encoder(), [Attempt(number=1, error="secret", wait=1)])


def test_a_refusal_is_the_message():
    """Clients show the body of a refusal to their user."""
    assert encoder(mask=str).refuse(GenerationError("too long")) == ("text/plain; charset=utf-8", b"too long")


def test_messages_have_ids_of_their_own():
    """Without an id there is a new one."""
    assert UIMessage().encoder().begin() != UIMessage().encoder().begin()
