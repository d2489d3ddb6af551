"""Events and results as JSON objects on one line."""

import json
import math

import msgspec
import pytest

from streamkit.errors import TruncatedStreamError
from streamkit.events import Attempt, Finish, Token, ToolCallDelta, Usage
from streamkit.request import Request
from streamkit.run import Run
from streamkit.sinks.records import encode_object, encode_result, event_name


@pytest.mark.parametrize(
    ("event", "name"),
    [
        (Token("a"), "token"),
        (ToolCallDelta(), "tool_call_delta"),
        (Finish(), "finish"),
        (Attempt(number=1, error="loading", wait=2.0), "attempt"),
    ],
)
def test_each_event_has_a_name_and_all_its_fields(event, name):
    """Objects of one kind all have the same members, the tags first."""
    line = encode_object(event, type=event_name(event))

    assert line.startswith(b'{"type":"%s",' % name.encode())
    assert json.loads(line) == {"type": name} | msgspec.to_builtins(event)


def test_no_reader_takes_one_line_for_two():
    """Characters that some readers take for line ends are escaped and come back exactly."""
    text = "a\n\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029b"

    line = encode_object(Token(text)).decode()

    assert line.splitlines() == [line]
    assert json.loads(line)["text"] == text


def test_text_that_json_cannot_hold_does_not_fail():
    """A lone surrogate becomes U+FFFD and a probability that is no number becomes null, in tags too."""
    line = encode_object(Token("a\ud800b", logprob=math.nan), prompt="\udfff")

    assert msgspec.json.decode(line) == {"prompt": "\ufffd"} | msgspec.to_builtins(Token("a\ufffdb"))


def test_a_result_tells_how_the_run_ended():
    """Outcome, text, counts, times and the error are all there, in one line."""
    run = Run(Request(prompt="Say hello"), ())
    run.feed(Token("Hello"))
    run.foresee([Finish(usage=Usage(completion_tokens=1))])
    line = encode_result(run.fail(TruncatedStreamError("the end is missing")))

    record = json.loads(line)

    assert line.endswith(b"}\n")
    assert record["outcome"] == "failed"
    assert record["text"] == "Hello"
    assert record["tokens"] == 1
    assert record["error"] == {"type": "TruncatedStreamError", "message": "the end is missing"}
    assert 0 <= record["timings"]["first_token"] <= record["timings"]["total"]
    assert record["finish_reason"] is None


def test_values_of_other_types_are_written_all_the_same():
    """What a caller put into a message does not lose the answer."""

    class Odd:
        def __repr__(self):
            return "<odd>"

    assert encode_object({"content": Odd()}) == b'{"content":"<odd>"}'
