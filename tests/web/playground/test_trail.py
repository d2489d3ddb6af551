"""What became of each token, against the transforms themselves."""

from __future__ import annotations

import json

import attrs
import pytest

from streamkit.events import Finish, Token
from streamkit.testing import replay
from streamkit.transforms import (
    RepairText,
    ScrubEos,
    SkipSpecialTokens,
    SplitReasoning,
    StopSequences,
    TrimStart,
    recommended_transforms,
)
from streamkit.web.playground import followed
from streamkit.web.playground.reports import is_report

CHAIN = (RepairText(byte_pieces=True), ScrubEos(), SkipSpecialTokens(), StopSequences("\nUser:"))


def _special(text):
    return Token(text, special=True)


def _run(tokens, chain, finish="eos_token", *, ids=True):
    """Run a followed pipeline; return its other events, and each report."""
    tokens = [Token(each) if isinstance(each, str) else each for each in tokens]
    tokens = [attrs.evolve(each, id=number) if ids else each for number, each in enumerate(tokens)]
    pipeline = followed(replay(tokens, finish=finish) | chain)
    with pipeline.stream("Hi") as stream:
        events = list(stream.events())
    reports = [json.loads(f"{{{event.text}}}") for event in events if is_report(event)]
    return [event for event in events if not is_report(event)], reports


def _last(reports):
    """Return what was last said of each token."""
    tokens = {}
    for report in reports:
        for each in report["tokens"]:
            tokens.setdefault(each["n"], {}).update(each)
    return [tokens[number] for number in range(len(tokens))]


@pytest.mark.parametrize("ids", [True, False])
@pytest.mark.parametrize(
    ("tokens", "expected"),
    [
        (["Hel", "lo"], ["passed", "passed"]),
        ([_special("<s>"), "Hi"], ["hidden", "passed"]),
        (["Hi", "\nUs", "er:"], ["passed", "cut", "cut"]),
        (["Hi.\nUs", "er: x"], ["cut", "cut"]),
        (["\n", "Us", "ing", " it"], ["released", "released", "passed", "passed"]),
        (["Hi", "</", "s", ">", _special("</s>")], ["passed", "scrubbed", "scrubbed", "scrubbed", "hidden"]),
        (["<0xE2>", "<0x82>", "<0xAC>", "1"], ["joined", "joined", "joined", "passed"]),
        (["Hi", "\nUs"], ["passed", "released"]),
        ([], []),
    ],
)
def test_each_token_has_the_fate_that_the_chain_gave_it(tokens, expected, ids):
    """Passing, hiding, holding, joining, cutting and scrubbing are told apart, whether tokens have ids or not."""
    _, reports = _run(tokens, CHAIN, ids=ids)
    assert [each["fate"] for each in _last(reports)] == expected


def test_held_token_is_reported_before_it_is_decided():
    """While text may still become a stop sequence its token is held by that transform, then it is released."""
    _, reports = _run(["\nUs", "ing"], CHAIN)
    first, then = ({each["n"]: (each["fate"], each["by"]) for each in report["tokens"][:1]} for report in reports)
    assert reports[0]["transforms"] == ["RepairText", "ScrubEos", "SkipSpecialTokens", "StopSequences"]
    assert first == {0: ("held", 3)}
    assert then == {0: ("released", 3)}


def test_text_behind_each_transform_is_told():
    """A report has the text of a token behind each transform that it has left."""
    _, reports = _run([_special("<s>"), "a\nUs"], CHAIN)
    tokens = _last(reports)
    assert tokens[0]["steps"] == ["<s>", "<s>", "", ""]
    assert (tokens[0]["by"], tokens[0]["special"]) == (2, True)
    assert tokens[1]["steps"] == ["a\nUs"] * 4


@pytest.mark.parametrize("ids", [True, False])
def test_text_on_other_channels_and_text_that_is_taken_out(ids):
    """Reasoning is told by its channel, a tag and white space as scrubbed, and no token is taken for another."""
    chain = (SplitReasoning(), TrimStart())
    _, reports = _run(["<think>", "hm", "\n", "</think>", "\n", "Hi", "\n"], chain, ids=ids)
    tokens = _last(reports)
    fates = ["scrubbed", "passed", "passed", "scrubbed", "scrubbed", "passed", "passed"]
    assert [each["fate"] for each in tokens] == fates
    assert tokens[1]["channel"] == "reasoning"


def test_token_that_is_left_behind_is_not_held_any_more():
    """What a transform swallowed is told as soon as a later token has left it, not at the end."""
    _, reports = _run(["<think>", "hm", "</think>", "Hi"], (SplitReasoning(),), ids=False)
    told = [[(each["n"], each["fate"]) for each in report["tokens"]] for report in reports]
    assert told == [[(0, "held")], [(0, "scrubbed"), (1, "passed")], [(2, "held")], [(2, "scrubbed"), (3, "passed")]]


def test_text_that_became_another_is_changed():
    """A transform that writes another text is named for it."""

    class Shout:
        def start(self):
            return self

        def feed(self, event):
            return (attrs.evolve(event, text=event.text.upper()),)

        def flush(self):
            return ()

    _, reports = _run(["a", "B"], (Shout(),))
    assert [(each["fate"], each.get("by")) for each in _last(reports)] == [("changed", 0), ("passed", None)]


@pytest.mark.parametrize("chain", [(), CHAIN, recommended_transforms(reasoning=True, stop="End")])
@pytest.mark.parametrize("finish", ["eos_token", Finish(reason="length"), None])
def test_following_changes_nothing(chain, finish):
    """What leaves a followed chain is what leaves the chain itself, the end included."""
    tokens = ["<think>a</think>", "Hi</", "s>", "\nUs", "er", " E", "nd", " x"]
    plain = replay([Token(each, id=number) for number, each in enumerate(tokens)], finish=finish) | chain
    with plain.stream("Hi") as stream:
        expected = list(stream.events())
    events, _ = _run(tokens, chain, finish)
    assert events == expected


def test_request_is_prepared_as_the_chain_would():
    """Stop sequences are still hinted to the server."""
    source = replay(["Hi"])
    followed(source | CHAIN).run("Hi")
    assert source.requests[-1].stop == ("\nUser:",)
