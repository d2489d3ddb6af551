"""SplitReasoning against a slow and obviously right reading of its rules."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamkit.errors import ConfigurationError
from streamkit.events import Token, ToolCallDelta
from streamkit.request import Request
from streamkit.testing.feeding import feed_every_way, run_chain, visible
from streamkit.transforms import ScrubEos, SkipSpecialTokens, SplitReasoning, StopSequences

TAGS = (("<a>", "</a>"), ("<ab>", "<ba>"))


def final(text, tags, *, inside):
    """Return the answer and the reasoning of a whole text."""
    channels = {"text": "", "reasoning": ""}
    closing = tags[0][1] if inside else None
    while True:
        legal = [closing] if closing else [opening for opening, _ in tags]
        found = min(((text.find(tag) + len(tag), text.find(tag), tag) for tag in legal if tag in text), default=None)
        channel = "reasoning" if closing else "text"
        if found is None:
            channels[channel] += text
            return channels["text"], channels["reasoning"]
        end, start, tag = found
        channels[channel] += text[:start]
        text = text[end:]
        closing = None if closing else dict(tags)[tag]


@given(
    st.text("<>/ab", max_size=24) | st.lists(st.sampled_from(["<a>", "</a>", "<ab>", "<ba>", "x", "<"])), st.booleans()
)
def test_both_channels_get_what_the_rules_say(parts, inside):
    """Answer and reasoning agree with the oracle, however the text is cut into tokens."""
    text = "".join(parts)
    tokens = [Token(text[at : at + 4], id=at) for at in range(0, len(text), 4)]
    events = feed_every_way(SplitReasoning(tags=TAGS, start_inside=inside), tokens)
    assert (visible(events), visible(events, "reasoning")) == final(text, TAGS, inside=inside)


def test_the_tags_are_dropped_and_the_reasoning_has_its_own_channel():
    """Tags in pieces are recognised, and ids stay with the text that is left."""
    tokens = [Token("<thi", id=1), Token("nk>why", id=2), Token("</think>a", id=3)]
    assert run_chain([SplitReasoning()], tokens)[:-1] == [
        Token("why", id=2, channel="reasoning", raw="nk>why"),
        Token("a", id=3, raw="</think>a"),
    ]


def test_special_tags_are_tags():
    """A special token is the tag that is legal now, and is dropped; another one goes along with the channel."""
    tokens = [
        Token("<think>", id=1, special=True),
        Token("why</thi", id=2),
        Token("<pad>", id=3, special=True),
        Token("</think>", id=4, special=True),
        Token("a", id=5),
    ]
    events = run_chain([SplitReasoning(), SkipSpecialTokens()], tokens)
    assert (visible(events), visible(events, "reasoning")) == ("a", "why</thi")
    assert [event.id for event in events[:-1]] == [2, None, 3, 5]


def test_held_text_goes_to_the_channel_it_was_read_on():
    """Half a closing tag at the end of the stream is reasoning."""
    events = run_chain([SplitReasoning(start_inside=True)], [Token("why</thi")])
    assert (visible(events), visible(events, "reasoning")) == ("", "why</thi")


def test_a_tag_that_is_not_legal_now_is_text():
    """A closing tag in the answer and an opening tag in the reasoning stay."""
    events = run_chain([SplitReasoning()], [Token("a</think><think>b<think>c")])
    assert (visible(events), visible(events, "reasoning")) == ("a</think>", "b<think>c")


def test_only_the_answer_is_split():
    """Tokens of another channel and other events pass untouched."""
    machine = SplitReasoning().start()
    for event in (Token("<think>", channel="reasoning"), ToolCallDelta(name="f")):
        assert machine.feed(event)[0] is event


def test_a_stop_behind_the_split_does_not_stop_the_reasoning():
    """A stop sequence inside the reasoning is no stop, here or on the server."""
    chain = [ScrubEos(), SplitReasoning(), StopSequences("STOP")]
    events = run_chain(chain, [Token("<think>STOP</think>aST"), Token("OPb</s>")])
    assert (visible(events), visible(events, "reasoning"), events[-1].stop) == ("a", "STOP", "STOP")
    assert SplitReasoning().prepare(StopSequences("STOP").prepare(Request(prompt="q"))).stop == ()


def test_a_request_without_hints_stays_the_same():
    """There is nothing to remove."""
    request = Request(prompt="q")
    assert SplitReasoning().prepare(request) is request


def test_nothing_leaves_after_the_end():
    """After a flush, feeding and flushing give nothing."""
    machine = SplitReasoning().start()
    assert machine.feed(Token("<th")) == []
    assert machine.flush() == [Token("<th")]
    assert (machine.feed(Token("x")), machine.flush()) == ((), ())


@pytest.mark.parametrize("tags", [(), ("<think>", "</think>"), (("<a>",),), (("<a>", ""),), (("<a>", "<a>"),)])
def test_impossible_tags_are_refused(tags):
    """Tags are pairs of two different non-empty strings."""
    with pytest.raises(ConfigurationError, match="tag"):
        SplitReasoning(tags=tags)
