"""What became of each token, against the transforms themselves."""

from __future__ import annotations

import attrs
import pytest

from streamkit.events import Token
from streamkit.followed import Followed
from streamkit.testing import replay
from streamkit.transforms import (
    RepairText,
    ScrubEos,
    SkipSpecialTokens,
    SplitReasoning,
    StopSequences,
    TrimStart,
)

CHAIN = (RepairText(byte_pieces=True), ScrubEos(), SkipSpecialTokens(), StopSequences("\nUser:"))


def _special(text):
    return Token(text, special=True)


def _run(tokens, chain, *, ids=True):
    """Follow a chain; return what was told after each token, and what was told last of each."""
    tokens = [Token(each) if isinstance(each, str) else each for each in tokens]
    tokens = [attrs.evolve(each, id=number) if ids else each for number, each in enumerate(tokens)]
    told, last = [], {}

    def tell(changes):
        told.append([(each.number, each.fate, each.by) for each in changes])
        last.update({each.number: each for each in changes})
        return ()

    (replay(tokens) | Followed(chain, tell)).run("Hi")
    return told, [last[number] for number in range(len(tokens)) if number in last]


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
    _, traces = _run(tokens, CHAIN, ids=ids)
    assert [each.fate for each in traces] == expected


def test_held_token_is_told_before_it_is_decided():
    """While text may still become a stop sequence its token is held by that transform, then it is released."""
    told, _ = _run(["\nUs", "ing"], CHAIN)
    assert told == [[(0, "held", 3)], [(0, "released", 3), (1, "passed", None)]]


def test_text_behind_each_transform_is_told():
    """A token has its text behind each transform that it has left, and what of it was shown."""
    _, (special, text, cut, gone) = _run([_special("<s>"), "a\nUse", "b\nUs", "er:"], CHAIN)
    assert special.texts == ["<s>", "<s>", "", ""]
    assert special.by == 2
    assert text.texts == ["a\nUse"] * 4
    assert [each.shown for each in (special, text, cut, gone)] == ["", "a\nUse", "b", ""]


@pytest.mark.parametrize("ids", [True, False])
def test_text_on_other_channels_and_text_that_is_taken_out(ids):
    """Reasoning is told by its channel, a tag and white space as scrubbed, and no token is taken for another."""
    chain = (SplitReasoning(), TrimStart())
    _, traces = _run(["<think>", "hm", "\n", "</think>", "\n", "Hi", "\n"], chain, ids=ids)
    fates = ["scrubbed", "passed", "passed", "scrubbed", "scrubbed", "passed", "passed"]
    assert [each.fate for each in traces] == fates
    assert traces[1].channel == "reasoning"


def test_token_that_is_left_behind_is_not_held_any_more():
    """What a transform swallowed is told as soon as a later token has left it, not at the end."""
    told, _ = _run(["<think>", "hm", "</think>", "Hi"], (SplitReasoning(),), ids=False)
    assert [[each[:2] for each in changes] for changes in told] == [
        [(0, "held")],
        [(0, "scrubbed"), (1, "passed")],
        [(2, "held")],
        [(2, "scrubbed"), (3, "passed")],
    ]


def test_text_that_became_another_is_changed():
    """A transform that writes another text is named for it."""

    class Shout:
        def start(self):
            return self

        def feed(self, event):
            return (attrs.evolve(event, text=event.text.upper()),)

        def flush(self):
            return ()

    _, traces = _run(["a", "B"], (Shout(),))
    assert [(each.fate, each.by) for each in traces] == [("changed", 0), ("passed", None)]


def test_an_empty_chain_shows_everything():
    """A token that no transform looks at has left as it came."""
    _, (trace,) = _run(["Hi"], ())
    assert (trace.fate, trace.shown) == ("passed", "Hi")
