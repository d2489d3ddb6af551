"""What is written is read back the same by our own decoders, whatever it is and however it is cut."""

import json

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamkit.events import Finish, Token, ToolCallDelta, Usage
from streamkit.formats import FORMATS, OpenAIChat
from streamkit.request import Request
from streamkit.run import Run

COUNTS = st.integers(0, 2**31)
TOKENS = st.builds(
    Token,
    st.text(),
    st.none() | COUNTS,
    st.none() | st.floats(-1e30, 0),
    channel=st.sampled_from(["text", "text", "reasoning", "other"]),
)
USAGES = st.builds(Usage, prompt_tokens=COUNTS, completion_tokens=st.integers(1, 2**31), total_tokens=COUNTS)
FINISHES = st.builds(
    lambda reason, usage: Finish(reason=reason, stop="x" if reason == "stop_sequence" else None, usage=usage),
    st.sampled_from(["eos_token", "stop_sequence", "length", "tool_calls", "content_filter"]),
    st.none() | USAGES,
)
CALLS = st.lists(st.dictionaries(st.text(), st.integers() | st.text(), max_size=2), max_size=2).map(
    lambda calls: [
        ToolCallDelta(index=index, id=f"c{index}", name="f", arguments=json.dumps(call))
        for index, call in enumerate(calls)
    ]
)
WRITABLE = ["tgi", "chat", "completions", "ui_message", "ndjson", "text"]
ANSWERS = st.tuples(st.lists(TOKENS), CALLS, FINISHES)

KEPT = {
    "text": (),
    "tgi": ("length", "stop_sequence"),
    "chat": ("length", "tool_calls", "content_filter"),
    "completions": ("length", "tool_calls", "content_filter"),
    "ui_message": ("length", "stop_sequence", "tool_calls", "content_filter"),
    "ndjson": ("length", "stop_sequence", "tool_calls", "content_filter"),
}
"""The reasons that a format has a word for; the others come back as `eos_token`, or not at all from text."""


def result_of(events):
    """Run events through no transforms, and return the result."""
    run = Run(Request(prompt=""), ())
    for event in events:
        run.feed(event)
    run.end()
    return run.complete()


def encoder_of(name):
    """Return an encoder that says all that its format can say."""
    fmt = FORMATS[name]
    return fmt.encoder(include_usage=True) if name in {"chat", "completions"} else fmt.encoder()


@pytest.mark.parametrize("name", WRITABLE)
@given(answer=ANSWERS, cuts=st.lists(st.integers(1, 40), min_size=1))
def test_an_answer_comes_back(name, written, answer, cuts):
    """Text, tool calls, finish reason and usage are those that were sent, as far as the format can say them."""
    tokens, calls, finish = answer
    body = written(encoder_of(name), [*tokens, *calls, finish])
    decoder = FORMATS[name].decoder()
    events, position, turn = [], 0, 0
    while position < len(body):
        size = cuts[turn % len(cuts)]
        events += decoder.feed(body[position : position + size])
        position, turn = position + size, turn + 1
    events += decoder.flush()
    assert decoder.error is None
    sent, seen = result_of([*tokens, *calls, finish]), result_of(events)
    assert seen.text == sent.text
    if name in {"chat", "ui_message", "ndjson"}:
        assert seen.reasoning == sent.reasoning
        if name != "ui_message" or all(call.arguments for call in sent.tool_calls):
            assert seen.tool_calls == sent.tool_calls
    if name != "text":
        assert seen.finish_reason == (sent.finish_reason if sent.finish_reason in KEPT[name] else "eos_token")
        wanted = sent.usage
        if name == "tgi":  # it has no total, and requires a count of tokens
            wanted = attrs.evolve(wanted or Usage(completion_tokens=sent.tokens), total_tokens=None)
        if name in {"chat", "completions"} and wanted and None not in {wanted.prompt_tokens, wanted.completion_tokens}:
            total = (
                wanted.prompt_tokens + wanted.completion_tokens if wanted.total_tokens is None else wanted.total_tokens
            )
            wanted = attrs.evolve(wanted, total_tokens=total)  # added up for clients, which require it
        assert seen.usage == wanted


@given(tokens=st.lists(TOKENS))
def test_ndjson_brings_the_very_tokens(written, tokens):
    """Ids, log-probabilities and channels come back as they were."""
    events = FORMATS["ndjson"].decoder().feed(written(encoder_of("ndjson"), tokens))
    assert events == [*tokens, Finish()]


@pytest.mark.parametrize("name", WRITABLE)
@given(answer=ANSWERS)
def test_keep_alives_may_stand_anywhere(name, answer):
    """A comment between any two pieces changes nothing for a reader."""
    tokens, calls, finish = answer
    encoder, decoder = encoder_of(name), FORMATS[name].decoder()
    pieces = [
        encoder.begin(),
        *map(encoder.feed, [*tokens, *calls, finish]),
        encoder.close(result_of([*tokens, finish])),
    ]
    plain, padded = FORMATS[name].decoder(), decoder
    assert [event for piece in pieces for event in plain.feed(piece)] == [
        event for piece in pieces for event in padded.feed(encoder.keep_alive + piece)
    ]


@pytest.mark.parametrize("name", WRITABLE)
@given(answer=ANSWERS)
def test_no_field_is_null_that_the_protocol_does_not_want_null(name, written, answer):
    """A client that checks what it reads finds nothing that it does not know."""
    tokens, calls, finish = answer
    body = written(encoder_of(name), [*tokens, *calls, finish])
    allowed = {
        "tgi": {"generated_text", "details", "seed"},
        "chat": {"finish_reason"},
        "completions": {"finish_reason", "logprobs"},
    }
    if name != "text":
        lines = [line.removeprefix("data: ") for line in body.decode().split("\n") if line]
        objects = [json.loads(line) for line in lines if line != "[DONE]"]
        assert {field for value in objects for field in nulls(value)} <= allowed.get(name, set())


def nulls(value):
    """Yield the names of the members that are null, at any depth."""
    if isinstance(value, dict):
        for name, member in value.items():
            if member is None:
                yield name
            yield from nulls(member)
    elif isinstance(value, list):
        for part in value:
            yield from nulls(part)


def test_two_encoders_share_nothing(written):
    """A format is a recipe: one answer knows nothing of another."""
    first, second = (OpenAIChat().encoder(response_id="a") for _ in range(2))
    assert written(first, [ToolCallDelta(name="f")]) == written(second, [ToolCallDelta(name="f")])
