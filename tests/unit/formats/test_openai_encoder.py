"""OpenAI-shaped streams as they are written."""

import json

import attrs
import pytest

from streamkit.errors import GenerationError, RequestError
from streamkit.events import Finish, Token, ToolCallDelta, Usage
from streamkit.formats import OpenAIChat, OpenAICompletions

USAGE = Usage(prompt_tokens=4, completion_tokens=2, total_tokens=6)


def deltas(chunks):
    """Return the deltas of the chunks of an answer, and its finish reason."""
    *rest, last = [chunk["choices"][0] for chunk in chunks if chunk != "[DONE]" and chunk["choices"]]
    assert all(choice["finish_reason"] is None for choice in rest)
    assert last["delta"] == {}
    return [choice["delta"] for choice in rest], last["finish_reason"]


def test_chat_chunks_have_what_clients_need(written, payloads):
    """All have the same id, model and time; the first has the role, one has the reason, one the usage."""
    encoder = OpenAIChat().encoder(model="m", response_id="r", include_usage=True)
    chunks = payloads(written(encoder, [Token("a"), Token("b"), Finish(reason="length", usage=USAGE)]))
    assert chunks.pop() == "[DONE]"
    assert {(chunk["id"], chunk["model"], chunk["object"]) for chunk in chunks} == {("r", "m", "chat.completion.chunk")}
    assert len({chunk["created"] for chunk in chunks}) == 1
    assert chunks[-1]["choices"] == []
    assert chunks[-1]["usage"] == {"prompt_tokens": 4, "completion_tokens": 2, "total_tokens": 6}
    assert all("usage" not in chunk for chunk in chunks[:-1])
    assert deltas(chunks) == ([{"role": "assistant", "content": ""}, {"content": "a"}, {"content": "b"}], "length")


def test_completion_chunks_have_what_clients_need(written, payloads):
    """Each has text and the two fields that may be null."""
    encoder = OpenAICompletions().encoder(response_id="r", include_usage=True)
    events = [Token("hm", channel="reasoning"), Token("a"), ToolCallDelta(name="f"), Finish(usage=USAGE)]
    first, last, usage, done = payloads(written(encoder, events))
    assert first["object"] == "text_completion"
    assert first["choices"] == [{"index": 0, "text": "a", "logprobs": None, "finish_reason": None}]
    assert last["choices"] == [{"index": 0, "text": "", "logprobs": None, "finish_reason": "stop"}]
    assert (usage["choices"], usage["usage"]["total_tokens"], done) == ([], 6, "[DONE]")


@pytest.mark.parametrize("fmt", [OpenAIChat(), OpenAICompletions()])
@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        (Usage(prompt_tokens=4, completion_tokens=2), {"prompt_tokens": 4, "completion_tokens": 2, "total_tokens": 6}),
        (Usage(prompt_tokens=4, completion_tokens=2, total_tokens=9), {"total_tokens": 9}),
        (Usage(prompt_tokens=0, completion_tokens=0), {"total_tokens": 0}),
        (Usage(completion_tokens=2), {"completion_tokens": 2}),
        (Usage(prompt_tokens=4), {"prompt_tokens": 4}),
    ],
)
def test_total_is_given_where_both_parts_are_known(written, payloads, fmt, usage, expected):
    """Clients require it, so it is added up; what the engine itself says wins, and what is unknown is left out."""
    *_, told, _ = payloads(written(fmt.encoder(include_usage=True), [Token("a"), Finish(usage=usage)]))
    known = attrs.asdict(usage, filter=lambda _, count: count is not None)
    assert told["usage"] == {**known, **expected}


@pytest.mark.parametrize("usage", [None, Usage()])
def test_usage_that_nobody_reported_is_not_made_up(written, payloads, usage):
    """The chunk that was asked for is left out."""
    body = written(OpenAIChat().encoder(include_usage=True), [Token("a"), Finish(usage=usage)])
    assert all("usage" not in chunk for chunk in payloads(body)[:-1])


def test_usage_that_nobody_asked_for_is_not_sent(written):
    """Without `stream_options.include_usage` there is no such chunk."""
    assert b"usage" not in written(OpenAIChat().encoder(), [Finish(usage=USAGE)])


@pytest.mark.parametrize(
    ("reason", "word"),
    [
        (None, "stop"),
        ("eos_token", "stop"),
        ("stop_sequence", "stop"),
        ("length", "length"),
        ("tool_calls", "tool_calls"),
        ("content_filter", "content_filter"),
    ],
)
def test_reasons_are_openais(written, payloads, reason, word):
    """A client never sees a word that it does not know."""
    for fmt in (OpenAIChat(), OpenAICompletions()):
        *_, last, _ = payloads(written(fmt.encoder(), [Finish(reason=reason)]))
        assert last["choices"][0]["finish_reason"] == word


def test_tool_calls_come_in_pieces(written, payloads):
    """The first piece of a call has id, type and name; a call that the engine gave no id gets one."""
    events = [
        ToolCallDelta(index=0, id="c", name="f", arguments="{"),
        ToolCallDelta(index=0, arguments="}"),
        ToolCallDelta(index=1, name="g"),
        Finish(reason="tool_calls"),
    ]
    (_, *calls), reason = deltas(payloads(written(OpenAIChat().encoder(response_id="r"), events)))
    assert reason == "tool_calls"
    assert [call["tool_calls"] for call in calls] == [
        [{"index": 0, "id": "c", "type": "function", "function": {"name": "f", "arguments": "{"}}],
        [{"index": 0, "function": {"arguments": "}"}}],
        [{"index": 1, "id": "call_r_1", "type": "function", "function": {"name": "g", "arguments": ""}}],
    ]


def test_reasoning_has_the_name_that_engines_gave_it(written, payloads):
    """Thinking is no content, and a channel of a transform's own has no place."""
    body = written(OpenAIChat().encoder(), [Token("hm", channel="reasoning"), Token("x", channel="other"), Token("")])
    assert deltas(payloads(body))[0][1:] == [{"reasoning_content": "hm"}]


@pytest.mark.parametrize("fmt", [OpenAIChat(), OpenAICompletions()])
def test_an_error_comes_before_the_sentinel(written, payloads, fmt):
    """No chunk claims a finish reason, and no field is null."""
    *_, error, done = payloads(written(fmt.encoder(), [Token("a")], error=RequestError("http://internal")))
    assert error == {"error": {"message": "An error occurred.", "type": "invalid_request_error", "code": "validation"}}
    assert done == "[DONE]"


def test_an_engine_that_ended_with_an_error_is_told_as_one(written, payloads):
    """OpenAI has no finish reason for it."""
    *_, error, _ = payloads(written(OpenAIChat().encoder(mask=str), [Finish(reason="error", raw_reason="abort")]))
    assert error["error"]["message"] == "the engine ended the answer with 'abort'"


def test_a_refusal_is_openais_json():
    """An error before the first byte has the same shape."""
    content_type, body = OpenAIChat().encoder().refuse(GenerationError("x", kind="overloaded"))
    assert content_type == "application/json"
    assert json.loads(body)["error"]["type"] == "overloaded_error"
