"""Rows 6 to 15: errors inside the stream, unusual and broken framing, and bodies without a bound."""

import tracemalloc

import attrs
import pytest

from streamkit import (
    FormatError,
    GenerationError,
    JsonLines,
    LimitExceededError,
    OverloadedError,
    StreamkitError,
    Timeouts,
    TruncatedStreamError,
)
from streamkit.testing import FAULTS, faults
from streamkit.testing.faults import framing

TRUTH = "one two three four five"
EVENTS = ("tgi", "chat", "completions")


@pytest.mark.parametrize("name", ["error_event", "error_event_str", "error_named"])
@pytest.mark.parametrize("api", EVENTS)
def test_an_error_inside_the_stream_is_raised_with_the_text_so_far(ask, play, api, name):
    """Rows 6 and 7: in each shape, in each dialect, also where only the event's name says that it is one."""
    _, endpoint = play(FAULTS[name](2), api=api)
    outcome = ask(endpoint, truth=TRUTH)
    assert type(outcome.error) is GenerationError
    assert "CUDA out of memory" in str(outcome.error)
    assert outcome.text == "one two"
    assert outcome.result.finish_reason == "error"


@pytest.mark.parametrize("api", EVENTS)
def test_bytes_that_are_not_json_are_named_and_cut_short(ask, play, api):
    """Row 8: the message has the place in the body and the beginning of the event."""
    _, endpoint = play(faults.bad_json(2), api=api)
    outcome = ask(endpoint, truth=TRUTH)
    assert type(outcome.error) is FormatError
    assert "the event at byte " in str(outcome.error)
    assert "oops" in str(outcome.error)
    assert outcome.text == "one two"


@pytest.mark.parametrize("name", ["bom", "cr", "crlf", "nospace", "multiline", "comments"])
@pytest.mark.parametrize("api", EVENTS)
def test_unusual_framing_changes_nothing(ask, play, api, name):
    """Row 11: all of it is allowed."""
    _, endpoint = play(FAULTS[name](), api=api)
    outcome = ask(endpoint)
    assert (outcome.text, outcome.error) == (TRUTH, None)
    assert outcome.result.finish_reason == "eos_token"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("split_utf8", framing.OWL),
        ("bad_utf8", " ca\ufffd\ufffdfe"),
        ("u2028", framing.SEPARATORS),
        ("nul", framing.ESCAPES),
    ],
)
def test_unusual_characters_are_exact(ask, play, api, name, said):
    """Rows 9, 10 and 12: in pieces, or taken by others for the end of a line; bytes outside UTF-8 become U+FFFD."""
    _, endpoint = play(FAULTS[name](), api=api)
    outcome = ask(endpoint)
    assert (outcome.text, outcome.error) == (f"one{said} two three four five", None)


@pytest.mark.parametrize("name", ["nul", "u2028"])
def test_unusual_characters_are_unharmed_in_json_lines(ask, play, tmp_path, name):
    """Row 12: one line, and the same text in it."""
    import json

    _, endpoint = play(FAULTS[name]())
    outcome = ask(endpoint, JsonLines(tmp_path / "lines"))
    (line,) = (tmp_path / "lines").read_text(encoding="utf-8").splitlines()
    assert json.loads(line)["text"] == outcome.text


@pytest.mark.parametrize("size", [16 * 2**20, 64 * 2**20])
def test_a_line_without_end_costs_little_and_ends_the_run(ask, play, api, size):
    """Row 13: at 1 MiB, whatever its length; the text before it stays."""
    server, endpoint = play(faults.bigline(size, 2), api=api)
    tracemalloc.start()
    try:
        outcome = ask(endpoint, truth=TRUTH)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert type(outcome.error) is LimitExceededError
    assert outcome.text == "one two"
    assert peak < 8 * 2**20
    assert server.requests[0].done.wait(2)
    assert not server.requests[0].answer_complete


def test_a_large_error_is_read_in_part(ask, play, api):
    """Row 14: its status is told, and the rest of it never read."""
    server, endpoint = play(faults.bigerr(), api=api)
    tracemalloc.start()
    try:
        outcome = ask(endpoint)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert type(outcome.error) is OverloadedError
    assert outcome.error.status == 500
    assert len(str(outcome.error)) < 1000
    assert peak < 4 * 2**20
    assert server.requests[0].client_left.wait(2)


@pytest.mark.parametrize(("name", "kind"), [("html200", FormatError), ("empty200", TruncatedStreamError)])
def test_what_is_no_stream_is_not_an_empty_answer(ask, play, api, name, kind):
    """Row 15: a captive portal, or nothing at all, with status 200."""
    _, endpoint = play(FAULTS[name](), api=api)
    outcome = ask(endpoint)
    assert type(outcome.error) is kind
    assert outcome.text == ""


@pytest.mark.parametrize("name", list(FAULTS))
def test_no_fault_is_mistaken_for_a_complete_answer(ask, play, name):
    """Every fault there is: the whole text, or an error of ours; never a part of it as if it were all."""
    whole = {"bom", "cr", "crlf", "nospace", "multiline", "comments", "no_done", "cut_after"}
    says_more = {"split_utf8", "bad_utf8", "u2028", "nul"}
    quick = {"drip": (0.0001, 50), "slow_headers": (0.05,), "bigline": (2**21,), "bigerr": (2**20,)}
    if name == "endless":
        pytest.skip("it has no end to mistake: see test_waiting")
    _, endpoint = play(FAULTS[name](*quick.get(name, ())))
    if name in {"pings", "silent", "stall"}:
        endpoint = attrs.evolve(endpoint, timeouts=Timeouts(first_token=0.3, between_tokens=0.3))
    outcome = ask(endpoint)
    if outcome.error is None:
        assert name in whole | says_more | {"drip", "slow_headers"}
        assert outcome.text.replace(outcome.text[3:], "") == "one"
        assert outcome.text.endswith(" two three four five")
    else:
        assert isinstance(outcome.error, StreamkitError)
        assert TRUTH.startswith(outcome.text)
        assert outcome.result.outcome == "failed"
