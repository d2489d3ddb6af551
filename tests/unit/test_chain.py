"""The chain, and the way around it for text that no machine would touch."""

import random

import attrs
import pytest

from streamkit.chain import Chain
from streamkit.errors import PluginError
from streamkit.events import Finish, Token
from streamkit.request import Request
from streamkit.run import Run
from streamkit.transforms import (
    RepairText,
    ScrubEos,
    SkipSpecialTokens,
    Smooth,
    SplitReasoning,
    StopSequences,
    TrimStart,
    recommended_transforms,
)

STOPS = ("ab\n", "<x", "\nUser:")
CHAINS = [
    (),
    (StopSequences(STOPS),),
    (StopSequences(STOPS, scope="all"),),
    (StopSequences(STOPS, include_stop=True),),
    *((ScrubEos(mode=mode),) for mode in ("end", "cut", "all")),
    (TrimStart(),),
    (TrimStart("one"),),
    *((RepairText(replacement=policy, byte_pieces=pieces),) for policy in ("keep", "drop") for pieces in (True, False)),
    (RepairText(cumulative=True),),
    (SplitReasoning(),),
    (SplitReasoning(start_inside=True),),
    (SkipSpecialTokens("<k>"),),
    (Smooth(),),
    recommended_transforms(stop=STOPS, reasoning=True, trim_start=True),
]
PIECES = (
    *("word", " the", "a", "b", "ab", "\n", " ", "", "<", "x", "é", "日", "\ud83d", "\ude00", "\ufffd"),
    *("</s>", "</", "s>", "<think>", "</think>", "<th", "ink>", "<0xC3>", "<0xA4>", "\nUs", "er:", "<k>"),
)


@attrs.frozen
class Unwatchful:
    """A transform whose machine must be fed everything."""

    inner: object

    def start(self):
        """Return the machine without its triggers."""
        machine = self.inner.start()

        class Plain:
            feed, flush = machine.feed, machine.flush

        return Plain()


def tokens(seed):
    """Return some tokens of every kind, with long quiet stretches between them."""
    pick = random.Random(seed)
    return [
        Token(
            pick.choice(PIECES) if pick.random() < 0.5 else "word",
            number,
            special=pick.random() < 0.05,
            channel="reasoning" if pick.random() < 0.05 else "text",
            cont=pick.random() < 0.02,
        )
        for number in range(40)
    ]


def read(transforms, events):
    """Return what leaves after each event, and the result."""
    run = Run(Request(prompt="p"), transforms, clock=lambda: 0.0)
    leaving = [list(run.feed(event)) for event in events]
    leaving.append(list(run.end()))
    return leaving, run.complete()


@pytest.mark.parametrize("transforms", CHAINS, ids=repr)
def test_the_way_around_the_chain_changes_nothing(transforms):
    """What leaves, and when, is the same if every machine is fed everything."""
    for seed in range(100):
        events = tokens(seed)
        assert read(transforms, events) == read([Unwatchful(transform) for transform in transforms], events), seed


class Counting:
    """A machine that counts what it is fed, watches for the letter x, and is its own recipe."""

    fed = 0
    watched = frozenset("x")

    def start(self):
        """Return itself."""
        return self

    def feed(self, event):
        """Count."""
        self.fed += 1
        return (event,)

    def flush(self):
        """Hold nothing."""
        return ()

    def triggers(self):
        """Watch."""
        return self.watched


def test_text_without_a_trigger_is_not_fed():
    """After the first token, only what the machine watches for, or what is not plain text, reaches it."""
    machine = Counting()
    plain = [Token("a"), Token("b"), Token("c")]
    others = [Token("x"), Token("s", special=True), Token("r", channel="reasoning"), Token("d", cont=True)]
    read([machine], [*plain, *others])
    assert machine.fed == 1 + len(others)


def test_a_machine_that_watches_for_everything_is_fed_everything():
    """`None` closes the way around."""
    machine = Counting()
    machine.watched = None
    read([machine], [Token("a"), Token("b")])
    assert machine.fed == 2


def test_triggers_that_are_no_frozen_set_name_their_transform():
    """The message names the one that is wrong, not the last of the chain."""
    machine = Counting()
    machine.watched = {"x"}
    with pytest.raises(PluginError, match=r"Counting.* returned set from triggers"):
        Chain([machine, SkipSpecialTokens()]).feed(Token("a"))


def test_a_finish_leaves_last():
    """Draining a chain ends with the `Finish` it was given."""
    assert Chain([SkipSpecialTokens()]).drain(Finish(reason="length")) == [Finish(reason="length")]
