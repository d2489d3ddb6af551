"""ScrubEos against a slow and obviously right reading of its rules."""

import re
from itertools import product, takewhile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamkit.errors import ConfigurationError
from streamkit.events import Finish, Token, ToolCallDelta
from streamkit.testing.feeding import feed_every_way, run_chain, visible
from streamkit.transforms import DEFAULT_EOS, ScrubEos, SkipSpecialTokens
from streamkit.transforms._final_run import MAX_RUN

MODES = ("end", "cut", "all")
mark_lists = st.lists(st.text("ab ", min_size=1, max_size=3), min_size=1, max_size=4)
texts = st.text("ab z", max_size=12)


def first(text, marks):
    """Return where the first mark to end begins and ends; of those that end together, the longest."""
    occurrences = [(text.find(mark) + len(mark), text.find(mark)) for mark in marks if mark in text]
    return min(occurrences, default=None)


def common_prefix(texts):
    """Return the longest beginning that all texts share."""
    columns = takewhile(lambda column: len(set(column)) == 1, zip(*texts, strict=False))
    return "".join(column[0] for column in columns)


def final(text, marks, mode):
    """Return what is shown of a whole text."""
    if mode == "end":
        one = "|".join(map(re.escape, marks))
        run = re.search(rf"(?:{one})(?:{one}|[ \t\r\n])*\Z", text)
        return text[: run.start()] if run else text
    occurrence = first(text, marks)
    if occurrence is None:
        return text
    end, start = occurrence
    return text[:start] + (final(text[end:], marks, mode) if mode == "all" else "")


@given(mark_lists, texts, st.sampled_from(MODES))
def test_what_is_shown_is_what_the_rules_say(marks, text, mode):
    """The text and the finish agree with the oracle, however the text is cut into tokens."""
    tokens = [Token(text[at : at + 3], id=at) for at in range(0, len(text), 3)]
    events = feed_every_way(ScrubEos(marks, mode=mode), tokens)
    assert visible(events) == final(text, marks, mode)
    assert events[-1].reason == ("eos_token" if mode == "cut" and first(text, marks) else None)


@given(mark_lists, texts, st.sampled_from(MODES))
def test_no_more_is_held_back_than_must_be(marks, text, mode):
    """What is shown after each character is the longest common prefix of all that could still be shown at the end."""
    futures = ["z", *("".join(more) for size in range(3) for more in product("ab ", repeat=size))]
    machine = ScrubEos(marks, mode=mode).start()
    out = ""
    for size, character in enumerate(text, 1):
        out += visible(machine.feed(Token(character)))
        assert out == common_prefix([final(text[:size] + more, marks, mode) for more in futures])


@given(mark_lists, st.lists(st.sampled_from([Token("a"), Token("b "), Token("z"), Token("a", special=True)])))
def test_nothing_leaves_after_the_end(marks, tokens):
    """After a Finish or a flush, feeding and flushing give nothing, in each mode."""
    for mode in MODES:
        machine = ScrubEos(marks, mode=mode).start()
        if not any(isinstance(event, Finish) for token in tokens for event in machine.feed(token)):
            machine.flush()
        assert [*machine.feed(Token("z")), *machine.feed(Token("", special=True)), *machine.flush()] == []


@pytest.mark.parametrize("mode", MODES)
def test_a_special_token_is_one_mark_or_none(mode):
    """A special end mark goes in each mode, and another special token does not keep a mark from going."""
    tokens = [Token("Hi<|im_"), Token("<pad>", special=True), Token("end|>"), Token("</s>", id=2, special=True)]
    assert visible(run_chain([ScrubEos(mode=mode), SkipSpecialTokens()], tokens)) == "Hi"


@pytest.mark.parametrize(("mode", "text"), [("end", "a</s>b"), ("cut", "a"), ("all", "ab")])
def test_a_special_mark_amidst_the_text(mode, text):
    """At the end only marks at the end go; a cut ends the answer there; all goes on without it."""
    tokens = [Token("a"), Token("</s>", special=True), Token("b")]
    assert visible(feed_every_way(ScrubEos(mode=mode), tokens)) == text


@pytest.mark.parametrize("mode", ["end", "all"])
def test_a_removed_special_mark_stays_in_the_stream_hidden(mode):
    """Its id and its text in raw are there for later transforms and for whoever counts."""
    tokens = [Token("a", id=1), Token("</s>", id=2, special=True), Token("\n", id=3)]
    events = run_chain([ScrubEos(mode=mode)], tokens)
    assert events[1] == Token("", id=2, special=True, raw="</s>")
    assert visible(events) == ("a" if mode == "end" else "a\n")


def test_text_before_the_last_run_stays_with_its_white_space():
    """Only the run goes; white space before it belongs to the answer."""
    assert visible(run_chain([ScrubEos()], [Token('s = "</s>"\n'), Token("</s>\n "), Token("<|im_end|>\r\n")])) == (
        's = "</s>"\n'
    )


def test_half_a_mark_behind_a_run_brings_the_run_back():
    """What ends the stream is then no run, so all that was held leaves."""
    assert visible(run_chain([ScrubEos()], [Token("Hi</s>"), Token("<|im_")])) == "Hi</s><|im_"


@pytest.mark.parametrize("special", [False, True])
def test_a_model_that_repeats_marks_for_ever_is_ended(special):
    """A run longer than the bound ends the stream, whether the marks are text or special tokens."""
    machine = ScrubEos("</s>").start()
    assert visible(machine.feed(Token("Hi"))) == "Hi"
    mark = Token("</s>", special=special)
    assert [event for _ in range(MAX_RUN // 4) for event in machine.feed(mark)] == []
    *rest, finish = machine.feed(mark)
    assert (visible(rest), finish) == ("", Finish(reason="eos_token"))
    assert machine.flush() == ()


def test_a_model_that_pads_for_ever_behind_a_mark_is_ended():
    """Other special tokens behind a mark end the stream too when there are too many of them."""
    machine = ScrubEos("</s>").start()
    pad = Token("<pad>", special=True)
    assert [event for token in (Token("</s>"), *[pad] * MAX_RUN) for event in machine.feed(token)] == []
    assert machine.feed(pad)[-1] == Finish(reason="eos_token")


def test_padding_is_counted_anew_behind_text():
    """Two runs with much padding behind them are not one with too much."""
    padded = [Token("</s>"), *[Token("<pad>", special=True)] * MAX_RUN]
    events = run_chain([ScrubEos("</s>"), SkipSpecialTokens()], [*padded, Token("a"), *padded, Token("b")])
    assert (visible(events), events[-1]) == ("</s>a</s>b", Finish())


@given(
    st.lists(st.tuples(st.sampled_from(["a", " ", "\n", "<", "</", "s>", "</s>", "<pad>"]), st.booleans()), max_size=9)
)
def test_a_hidden_special_mark_is_a_mark(pieces):
    """Whether special tokens are hidden before or after changes nothing that is shown, in any mode."""
    tokens = [Token(text, id=number, special=special) for number, (text, special) in enumerate(pieces)]
    for mode in MODES:
        behind = run_chain([ScrubEos("</s>", mode=mode), SkipSpecialTokens()], tokens)
        before = run_chain([SkipSpecialTokens(), ScrubEos("</s>", mode=mode)], tokens)
        assert (visible(before), before[-1]) == (visible(behind), behind[-1])


def test_white_space_behind_a_hidden_mark_goes_with_it():
    """The mark has no text any more, and ends the answer all the same."""
    tokens = [Token("Hi"), Token("</s>", special=True), Token("\n"), Token("</s>", special=True), Token(" ")]
    assert visible(run_chain([SkipSpecialTokens(), ScrubEos()], tokens)) == "Hi"


@pytest.mark.parametrize("follows", ["x", "\nx", "<", "</", "</s"])
def test_what_follows_a_hidden_mark_is_shown_unless_it_ends_the_text_with_it(follows):
    """A mark that has no text to hold back is forgotten where text follows, and half a mark is text."""
    tokens = [Token("Hi"), Token("", special=True, raw="</s>"), Token(follows), Token("y")]
    assert visible(feed_every_way(ScrubEos(), tokens)) == "Hi" + follows + "y"
    assert visible(feed_every_way(ScrubEos(), [*tokens[:3], Token("</s>")])) == "Hi" + follows


@pytest.mark.parametrize("blanks", [MAX_RUN - 4, MAX_RUN - 3])
def test_the_bound_of_a_run_does_not_depend_on_the_cut(blanks):
    """A run of exactly 1,024 characters is held and released, a longer one ends the stream, in any tokens."""
    text = "Hi</s>" + " " * blanks
    whole = run_chain([ScrubEos()], [Token(text + "more")])
    single = run_chain([ScrubEos()], [Token(character) for character in text + "more"])
    assert visible(whole) == visible(single) == (text + "more" if blanks == MAX_RUN - 4 else "Hi")
    assert whole[-1] == single[-1]


def test_what_is_remembered_is_bounded():
    """Runs and half marks in endless turn leave no trace behind."""
    machine = ScrubEos("</s>")._start("text")
    for _ in range(500):
        machine.feed(Token("</s><</s> <"))
    assert len(machine._starts) < 20
    assert machine._held.width < 20


def test_each_channel_is_read_by_itself():
    """A mark at the end of the reasoning goes although the answer follows."""
    tokens = [Token("why</s>", channel="reasoning"), Token("a"), ToolCallDelta(name="f")]
    events = run_chain([ScrubEos()], tokens)
    assert (visible(events, "reasoning"), visible(events)) == ("why", "a")
    assert ToolCallDelta(name="f") in events


def test_untouched_tokens_are_the_same_objects():
    """A token in which no mark can begin is not made anew, in any mode."""
    token = Token("hello")
    for mode in MODES:
        assert ScrubEos(mode=mode).start().feed(token)[0] is token


def test_recipes_are_values():
    """One mark may be given as a string, equal settings are equal, and no marks change nothing."""
    assert ScrubEos("</s>") == ScrubEos(["</s>", "</s>"])
    assert ScrubEos().eos == DEFAULT_EOS
    assert visible(run_chain([ScrubEos(())], [Token("a</s>")])) == "a</s>"


def test_impossible_settings_are_refused():
    """An empty mark and an unknown mode are found when the recipe is made."""
    with pytest.raises(ConfigurationError, match="end-of-sequence mark"):
        ScrubEos([""])
    with pytest.raises(ConfigurationError, match="mode of ScrubEos"):
        ScrubEos(mode="start")
