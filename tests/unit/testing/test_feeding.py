"""The helpers that feed transforms tell good ones from bad ones."""

import pytest

from streamkit.errors import PluginError
from streamkit.events import Finish, Token, ToolCallDelta
from streamkit.testing.feeding import feed_every_way, run_chain, visible
from streamkit.transforms import SplitReasoning, StopSequences


class Machine:
    """A transform and its machine in one, made of a function from event to events."""

    def __init__(self, feed, rest=()):
        self.feed = feed
        self.flush = lambda: rest

    def start(self):
        """Return the one machine there is; it remembers nothing."""
        return self

    def __repr__(self):
        return "Machine()"


def test_the_chain_runs_to_its_end():
    """Without a Finish the chain is flushed and ends without a reason."""
    assert run_chain([StopSequences("ab")], [Token("xa")]) == [
        Token("x", raw="xa"),
        Token("a", cont=True),
        Finish(),
    ]


def test_a_finish_of_the_source_ends_the_chain():
    """What is held leaves before the source's Finish, and nothing behind it is read."""
    finish = Finish(reason="length")
    assert run_chain([StopSequences("ab")], [Token("a"), finish, Token("b")]) == [Token("a"), finish]


def test_an_early_end_flushes_the_later_machines():
    """What a later machine holds leaves before the Finish of an earlier one."""
    finish = Finish(reason="stop_sequence", stop="##")
    assert run_chain([StopSequences("##"), StopSequences("xy")], [Token("x##")]) == [Token("x", raw="x##"), finish]


def test_visible_joins_the_text_of_one_channel():
    """Other channels and other events do not count."""
    events = [Token("a"), Token("b", channel="reasoning"), ToolCallDelta(name="f"), Token("c"), Finish()]
    assert visible(events) == "ac"
    assert visible(events, "reasoning") == "b"


def test_a_good_transform_passes_and_its_events_come_back():
    """The events returned are those of feeding the tokens as they are."""
    tokens = [Token("<thi", id=1), Token("nk>a", id=2), Token("</think>", special=True), Token("b")]
    assert feed_every_way(SplitReasoning(), tokens) == run_chain([SplitReasoning()], tokens)


def test_text_that_depends_on_the_cut_is_found_with_the_smallest_beginning():
    """A transform that looks at whole tokens is refused, with the shortest events that show it."""
    naive = Machine(lambda event: () if event.text == "</s>" else (event,))
    with pytest.raises(AssertionError, match="the text of a channel depends on how the text is cut") as caught:
        feed_every_way(naive, [Token("a"), Token("</s>"), Token("b")])
    assert "Token(text='b'" not in str(caught.value)


def test_a_finish_that_depends_on_the_cut_is_found():
    """A transform that ends the stream at a whole token only is refused."""
    naive = Machine(lambda event: (event, Finish(reason="length")) if event.text == "ab" else (event,))
    with pytest.raises(AssertionError, match="the reason of the finish"):
        feed_every_way(naive, [Token("ab")])


def test_a_stop_that_depends_on_the_cut_is_found():
    """A transform that reports the token as the stop sequence is refused."""
    naive = Machine(lambda event: (Token("x"), Finish(reason="length", stop=event.text)) if event.text else (event,))
    with pytest.raises(AssertionError, match="the stop sequence"):
        feed_every_way(naive, [Token("ab")])


def test_events_behind_a_finish_are_found():
    """A machine that goes on after its own Finish is refused."""
    naive = Machine(lambda event: (Finish(reason="length"), event))
    with pytest.raises(PluginError, match=r"returned a Finish .* before its last event"):
        feed_every_way(naive, [Token("a")])


@pytest.mark.parametrize("ids", [(1, 1), (2, 1), (3,)])
def test_ids_that_leave_twice_or_in_another_order_are_found(ids):
    """Each id leaves at most once and in the order in which it came, and none is made up."""
    naive = Machine(lambda event: (), rest=tuple(Token("", id=number) for number in ids))
    with pytest.raises(AssertionError, match="ids must leave once and in order"):
        feed_every_way(naive, [Token("a", id=1), Token("b", id=2)])


def test_special_tokens_are_never_cut_or_joined():
    """A transform that knows special tokens by their whole text passes."""
    seen = set()

    def feed(event):
        seen.update({event.text} if event.special else ())
        return (event,)

    feed_every_way(Machine(feed), [Token("ab"), Token("</s>", special=True), Token("<s>", special=True), Token("cd")])
    assert seen == {"</s>", "<s>"}
