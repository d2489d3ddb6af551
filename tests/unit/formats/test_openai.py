"""OpenAI-shaped streams, in the shapes of each engine."""

import json

import pytest

from streamkit.errors import GenerationError, TruncatedStreamError
from streamkit.events import Finish, Token, ToolCallDelta, Usage
from streamkit.formats import OpenAIChat, OpenAICompletions

DONE = b"data: [DONE]\n\n"


def chunk(delta=None, reason=None, **fields):
    """A chat event with one choice; unknown fields belong to the choice, `usage` and `error` to the chunk."""
    outer = {key: fields.pop(key) for key in ("usage", "error") if key in fields}
    choice = {"index": 0, "delta": delta, "finish_reason": reason, **fields}
    return b"data: " + json.dumps({"choices": [choice], **outer}).encode() + b"\n\n"


def text_chunk(text, reason=None, **fields):
    """A completions event with one choice."""
    return b"data: " + json.dumps({"choices": [{"text": text, "finish_reason": reason, **fields}]}).encode() + b"\n\n"


@pytest.mark.parametrize("delta", [None, {}, {"content": None}, {"content": ""}, {"role": "assistant"}])
def test_a_delta_without_text_is_no_event(read, delta):
    """Role-only, empty and null deltas say nothing."""
    assert read(OpenAIChat(), chunk(delta) + DONE)[0] == [Finish()]


def test_finish_waits_for_the_usage_that_follows(read):
    """A chunk without choices after the finish reason still gives its usage to the finish."""
    usage = b'data: {"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}}\n\n'
    expected = Finish(
        reason="length",
        raw_reason="length",
        usage=Usage(prompt_tokens=1, completion_tokens=2, total_tokens=3),
    )
    for body in (usage + DONE, usage, usage.replace(b'"choices":[],', b"") + DONE):
        assert read(OpenAIChat(), chunk({"content": "a"}, "length") + body)[0] == [Token("a"), expected]


def test_finish_leaves_with_the_sentinel():
    """The consumer need not wait for the server to close the connection."""
    decoder = OpenAIChat().decoder()
    assert decoder.feed(chunk({}, "stop")) == []
    assert decoder.complete
    assert decoder.feed(DONE + chunk({"content": "late"})) == [Finish(reason="eos_token", raw_reason="stop")]
    assert decoder.flush() == []


def test_a_connection_that_breaks_after_the_finish_reason_lost_nothing(read):
    """A finish reason is an end mark by itself."""
    events, decoder = read(OpenAIChat(), chunk({}, "stop") + b"data: [DO", clean=False)
    assert events == [Finish(reason="eos_token", raw_reason="stop")]
    assert decoder.error is None


@pytest.mark.parametrize("reason", [None, ""])
def test_no_reason_and_no_sentinel_is_a_truncation(read, reason):
    """An empty string is not a finish reason."""
    events, decoder = read(OpenAIChat(), chunk({"content": "a"}, reason))
    assert events == [Token("a")]
    assert isinstance(decoder.error, TruncatedStreamError)


def test_error_after_the_finish_reason_is_an_error(read):
    """A stream that reports an error is not complete, whatever it said before."""
    events, decoder = read(OpenAIChat(), chunk({}, "error") + chunk({}, error={"message": "boom", "code": 502}) + DONE)
    assert (events, decoder.complete, str(decoder.error)) == ([], False, "boom")
    assert isinstance(decoder.error, GenerationError)


def test_null_and_empty_error_beside_choices_is_none(read):
    """Engines that write `"error": null` with every chunk are not failing."""
    for error in (None, "", {}):
        assert read(OpenAIChat(), chunk({"content": "a"}, "stop", error=error))[0][0] == Token("a")


@pytest.mark.parametrize(
    ("fields", "stop"),
    [
        ({"stop_reason": "###"}, "###"),
        ({"matched_stop": "###"}, "###"),
        ({"stop_reason": None, "matched_stop": "###"}, "###"),
        ({"stop_reason": 128009}, None),
        ({"matched_stop": 2}, None),
        ({}, None),
    ],
)
def test_the_stop_sequence_which_the_engine_names(read, fields, stop):
    """A named stop sequence tells `stop` for a sequence from `stop` for an end token; a number is an end token."""
    finish = read(OpenAIChat(), chunk({}, "stop", **fields) + DONE)[0][-1]
    assert (finish.reason, finish.stop) == ("stop_sequence" if stop else "eos_token", stop)


def test_a_stop_sequence_beside_another_reason_did_not_end_the_answer(read):
    """A stop that the engine names although the length ended the answer is not the finish's stop."""
    assert read(OpenAIChat(), chunk({}, "length", matched_stop="###") + DONE)[0][-1].stop is None


@pytest.mark.parametrize("key", ["reasoning", "reasoning_content"])
def test_reasoning_has_a_channel(read, key):
    """Both names of reasoning are one channel; in one chunk it comes before the text."""
    assert read(OpenAIChat(), chunk({key: "hm", "content": "so"}))[0] == [Token("hm", channel="reasoning"), Token("so")]


def test_logprobs_part_the_text_into_its_tokens(read):
    """Entries whose texts join to the text are one token each, with llama.cpp's ids."""
    entries = [{"token": "a", "logprob": -1, "id": 4}, {"token": "b", "logprob": -2}]
    body = chunk({"content": "ab"}, logprobs={"content": entries})
    assert read(OpenAIChat(), body)[0] == [Token("a", 4, -1.0), Token("b", None, -2.0)]
    body = chunk({"reasoning": "r", "content": "ab"}, logprobs={"content": [{"token": "ab", "logprob": -1}]})
    assert read(OpenAIChat(), body)[0] == [Token("r", channel="reasoning"), Token("ab", None, -1.0)]
    body = chunk({"reasoning": "ab"}, logprobs={"content": entries})
    assert [event.channel for event in read(OpenAIChat(), body)[0]] == ["reasoning"] * 2


def test_logprobs_that_do_not_fit_leave_the_text_alone(read):
    """Several entries that do not join to the text give no log-probability; a lone one does."""
    two = [{"token": "a", "logprob": -1}, {"token": "?", "logprob": -2}]
    assert read(OpenAIChat(), chunk({"content": "ab"}, logprobs={"content": two}))[0] == [Token("ab")]
    assert read(OpenAIChat(), chunk({"content": "ab"}, logprobs={"content": two[:1]}))[0] == [Token("ab", None, -1.0)]
    assert read(OpenAIChat(), chunk({"content": "ab"}, logprobs={"content": []}))[0] == [Token("ab")]


def test_completions_logprobs_are_two_lists(read):
    """Completions streams put tokens and log-probabilities side by side; null is allowed."""
    logprobs = {"tokens": ["a", "b"], "token_logprobs": [None, -2], "top_logprobs": None}
    assert read(OpenAICompletions(), text_chunk("ab", logprobs=logprobs))[0] == [Token("a"), Token("b", None, -2.0)]
    logprobs = {"tokens": ["a", "b"], "token_logprobs": [-2]}
    assert read(OpenAICompletions(), text_chunk("ab", logprobs=logprobs))[0] == [Token("ab")]


def test_minus_infinity_is_no_logprob(read):
    """Python servers write `-Infinity`, which is not JSON; the token is read without it."""
    body = (
        b'data: {"choices":[{"delta":{"content":"a"},"logprobs":{"content":[{"token":"a","logprob":-Infinity}]}}]}\n\n'
    )
    assert read(OpenAIChat(), body)[0] == [Token("a")]


def test_tool_calls_keep_their_order_with_text(read):
    """Text and tool call pieces of one chunk leave in this order, then later pieces."""
    call = {"index": 0, "id": "c", "function": {"name": "f", "arguments": "{"}}
    body = chunk({"content": "ok", "tool_calls": [call]}) + chunk(
        {"tool_calls": [{"index": 0, "id": "c", "function": {"arguments": "}"}}]}
    )
    assert read(OpenAIChat(), body + DONE)[0] == [
        Token("ok"),
        ToolCallDelta(index=0, id="c", name="f", arguments="{"),
        ToolCallDelta(index=0, arguments="}"),
        Finish(),
    ]


def test_one_decoder_reads_one_choice(read):
    """Text, reason and usage of another choice are not ours."""
    body = text_chunk("a", index=0) + text_chunk("b", "length", index=1)
    body += b'data: {"choices":[{"index":1,"text":""}],"usage":{"total_tokens":9}}\n\n' + text_chunk(
        "c", "stop", index=0
    )
    assert read(OpenAICompletions(), body)[0] == [Token("a"), Token("c"), Finish(reason="eos_token", raw_reason="stop")]
    finish = Finish(reason="length", raw_reason="length", usage=Usage(total_tokens=9))
    assert read(OpenAICompletions(choice=1), body)[0] == [Token("b"), finish]


def test_choice_that_never_finished_ends_with_the_sentinel(read):
    """`[DONE]` ends every choice, without a reason for those that gave none."""
    assert read(OpenAICompletions(choice=3), text_chunk("a", "stop") + DONE)[0] == [Finish()]


def test_completions_read_text_only_and_chat_reads_deltas_only(read):
    """A provider that writes both does not double the answer."""
    both = chunk({"content": "a"}, text="a")
    assert read(OpenAIChat(), both)[0] == [Token("a")]
    assert read(OpenAICompletions(), both)[0] == [Token("a")]


def test_choice_is_not_negative():
    """A recipe that can never match is refused."""
    with pytest.raises(ValueError, match="choice"):
        OpenAIChat(choice=-1)
