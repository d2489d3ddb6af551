"""TGI's native stream as it is written."""

import json
import math

import pytest

from streamkit.errors import GenerationError, OverloadedError
from streamkit.events import Finish, Token, ToolCallDelta, Usage
from streamkit.formats import Tgi


def test_events_are_those_of_tgi(written, payloads):
    """Each token is an event, and the last event has the text and the details."""
    events = [Token("Hel", 5, -0.5), Token("lo", 6, -0.25), Token("", 2, -0.1, special=True)]
    usage = Usage(prompt_tokens=4, completion_tokens=3)
    body = written(Tgi().encoder(), [*events, Finish(reason="stop_sequence", usage=usage)])
    nothing = {"generated_text": None, "details": None}
    details = {"finish_reason": "stop_sequence", "generated_tokens": 3, "seed": None, "input_length": 4}
    assert payloads(body) == [
        {"index": 1, "token": {"id": 5, "text": "Hel", "logprob": -0.5, "special": False}, **nothing},
        {"index": 2, "token": {"id": 6, "text": "lo", "logprob": -0.25, "special": False}, **nothing},
        {"index": 3, "token": {"id": 2, "text": "", "logprob": -0.1, "special": True}, **nothing},
        {
            "index": 4,
            "token": {"id": 0, "text": "", "logprob": 0.0, "special": True},
            "generated_text": "Hello",
            "details": details,
        },
    ]


def test_the_text_is_that_of_the_tokens_that_are_not_special(written, payloads):
    """Clients hold the joined tokens against `generated_text`, without the special ones."""
    *_, last = payloads(written(Tgi().encoder(), [Token("a"), Token("</s>", special=True), Token("b")]))
    assert last["generated_text"] == "ab"


def test_what_tgi_cannot_say_is_left_out(written, payloads):
    """Reasoning, tool calls and pieces of hidden text are no tokens of the answer."""
    body = written(Tgi().encoder(), [Token("hm", channel="reasoning"), ToolCallDelta(name="f"), Token(""), Token("a")])
    assert [event["token"]["text"] for event in payloads(body)] == ["a", ""]


@pytest.mark.parametrize("logprob", [-math.inf, math.inf, math.nan])
def test_numbers_are_numbers_of_json(written, payloads, logprob):
    """JSON has neither infinities nor NaN."""
    first, _ = payloads(written(Tgi().encoder(), [Token("a", 1, logprob)]))
    assert first["token"]["logprob"] == -3.4e38


@pytest.mark.parametrize("reason", [None, "tool_calls", "content_filter", "eos_token"])
def test_other_reasons_are_the_models_own_decision(written, payloads, reason):
    """TGI has three words, and the tokens that were read stand in for a count that nobody reported."""
    last = payloads(written(Tgi().encoder(), [Token("a"), Finish(reason=reason)]))[-1]
    assert last["details"] == {"finish_reason": "eos_token", "generated_tokens": 1, "seed": None}


def test_an_error_is_the_last_event(written, payloads):
    """Nothing follows an error, and it tells the kind and no more."""
    last = payloads(written(Tgi().encoder(), [Token("a")], error=OverloadedError("http://internal")))[-1]
    assert last == {"error": "An error occurred.", "error_type": "overloaded"}


def test_an_aborted_answer_is_not_complete(written, payloads):
    """Who reads on hears that the answer was stopped."""
    last = payloads(written(Tgi().encoder(), [Token("a")], outcome="aborted"))[-1]
    assert last["error_type"] == "incomplete_generation"


def test_a_refusal_is_tgis_json():
    """An error before the first byte has the same shape."""
    content_type, body = Tgi().encoder(mask=str).refuse(GenerationError("too long", kind="validation"))
    assert content_type == "application/json"
    assert json.loads(body) == {"error": "too long", "error_type": "validation"}
