"""Our own events as lines."""

import json
import math

import pytest

from streamkit.errors import FormatError, GenerationError, TruncatedStreamError
from streamkit.events import Attempt, Finish, Token, ToolCallDelta, Usage
from streamkit.formats import Ndjson


def lines(body):
    """Return the objects of a body."""
    return [json.loads(line) for line in body.splitlines()]


def test_lines_are_numbered_and_have_nothing_without_a_value(written):
    """A member is there or not there, and never null."""
    events = [Token("a"), ToolCallDelta(name="f"), Finish(reason="length", usage=Usage(prompt_tokens=3))]
    assert lines(written(Ndjson().encoder(), events)) == [
        {"seq": 1, "type": "token", "text": "a"},
        {"seq": 2, "type": "tool_call_delta", "index": 0, "name": "f", "arguments": ""},
        {"seq": 3, "type": "finish", "reason": "length", "usage": {"prompt_tokens": 3}},
    ]


def test_hidden_text_and_failed_tries_are_not_sent(written):
    """Neither is meant for the client."""
    events = [Attempt(number=1, error="secret", wait=0), Token("", 5, raw="secret")]
    body = written(Ndjson().encoder(), events)
    assert b"secret" not in body
    assert [line["seq"] for line in lines(body)] == [1, 2]


def test_an_error_is_masked(written):
    """The last line has the kind, and a message that tells nothing."""
    *_, last = lines(written(Ndjson().encoder(), [Token("a")], error=GenerationError("secret", kind="validation")))
    assert last == {"seq": 2, "type": "error", "message": "An error occurred.", "error_type": "validation"}


def test_an_abort_is_told(written):
    """A stopped answer has a last line, too."""
    assert lines(written(Ndjson().encoder(), [], outcome="aborted")) == [{"seq": 1, "type": "abort"}]


@pytest.mark.parametrize("logprob", [-math.inf, math.nan])
def test_numbers_that_json_does_not_have_are_left_out(written, logprob):
    """A line can be read by any parser."""
    assert "logprob" not in lines(written(Ndjson().encoder(), [Token("a", 1, logprob)]))[0]


def test_errors_and_aborts_are_read(read, written):
    """Both leave the text that came before."""
    failed = written(Ndjson().encoder(mask=str), [Token("a")], error=GenerationError("no", kind="overloaded"))
    events, decoder = read(Ndjson(), failed)
    assert events == [Token("a")]
    assert isinstance(decoder.error, GenerationError)
    assert (str(decoder.error), decoder.error.kind) == ("no", "overloaded")
    assert isinstance(read(Ndjson(), written(Ndjson().encoder(), [], outcome="aborted"))[1].error, TruncatedStreamError)


def test_a_cut_body_is_not_whole(read, written):
    """Without its last line an answer was cut."""
    body = written(Ndjson().encoder(), [Token("a")])
    assert isinstance(read(Ndjson(), body[: body.index(b"\n") + 1])[1].error, TruncatedStreamError)


def test_other_types_are_passed_over_and_other_things_are_not(read):
    """A later version may add types, but a line is an object with a type."""
    assert read(Ndjson(), b'{"seq":1,"type":"new"}\n{"seq":2,"type":"finish"}\n')[0] == [Finish()]
    assert isinstance(read(Ndjson(), b"[]\n")[1].error, FormatError)


def test_a_refusal_is_json():
    """An error before the first byte has the members of an error's line."""
    content_type, body = Ndjson().encoder().refuse(ValueError("x"))
    assert content_type == "application/json"
    assert json.loads(body) == {"message": "An error occurred.", "error_type": "generation"}
