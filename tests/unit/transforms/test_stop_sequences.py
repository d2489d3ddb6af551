"""StopSequences against a slow and obviously right reading of its rules."""

from itertools import product, takewhile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamkit.errors import ConfigurationError
from streamkit.events import Finish, Token, ToolCallDelta
from streamkit.request import Request
from streamkit.testing.feeding import feed_every_way, run_chain, visible
from streamkit.transforms import SkipSpecialTokens, StopSequences

stop_lists = st.lists(st.text("ab", min_size=1, max_size=4), min_size=1, max_size=5)
texts = st.text("abz", max_size=12)


def common_prefix(texts):
    """Return the longest beginning that all texts share."""
    columns = takewhile(lambda column: len(set(column)) == 1, zip(*texts, strict=False))
    return "".join(column[0] for column in columns)


def final(text, stops, *, include):
    """Return what is shown of a whole text, and the stop sequence: the first to end, then the first to begin."""
    occurrences = [(text.find(stop) + len(stop), text.find(stop), stop) for stop in stops if stop in text]
    if not occurrences:
        return text, None
    end, start, stop = min(occurrences)
    return text[: end if include else start], stop


def shown(machine, characters):
    """Return what left the machine after each character."""
    out = ""
    for character in characters:
        out += visible(machine.feed(Token(character)))
        yield out


@given(stop_lists, texts, st.booleans())
def test_what_is_shown_is_what_the_rules_say(stops, text, include):
    """Text and stop agree with the oracle, however the text is cut into tokens."""
    tokens = [Token(text[at : at + 3], id=at) for at in range(0, len(text), 3)]
    events = feed_every_way(StopSequences(stops, include_stop=include), tokens)
    assert (visible(events), events[-1].stop) == final(text, stops, include=include)


@given(stop_lists, texts, st.booleans())
def test_no_more_is_held_back_than_must_be(stops, text, include):
    """What is shown after each character is the longest common prefix of all that could still be shown at the end."""
    futures = ["z", *("".join(more) for size in range(4) for more in product("ab", repeat=size))]
    machine = StopSequences(stops, include_stop=include).start()
    for size, out in enumerate(shown(machine, text), 1):
        assert out == common_prefix([final(text[:size] + more, stops, include=include)[0] for more in futures])


@given(stop_lists, texts)
def test_no_stop_sequence_is_ever_shown(stops, text):
    """The text that leaves contains no stop sequence."""
    out = visible(run_chain([StopSequences(stops)], [Token(text)]))
    assert not any(stop in out for stop in stops)


@given(st.permutations(["ab", "abc", "bcd", "cd", "b"]), texts)
def test_the_order_of_the_stops_means_nothing(stops, text):
    """Permuted stop sequences give the same events."""
    tokens = [Token(character) for character in text]
    assert run_chain([StopSequences(stops)], tokens) == run_chain([StopSequences(sorted(stops))], tokens)


@given(stop_lists, st.lists(st.sampled_from([Token("a"), Token("b"), Token("z"), Token("ab"), Token("")])))
def test_nothing_leaves_after_the_end(stops, tokens):
    """After a Finish or a flush, feeding and flushing give nothing."""
    machine = StopSequences(stops).start()
    for token in tokens:
        if any(isinstance(event, Finish) for event in machine.feed(token)):
            break
    else:
        machine.flush()
    for token in (*tokens, Token("z", channel="reasoning"), Token("", special=True)):
        assert machine.feed(token) == ()
    assert machine.flush() == ()


def test_a_token_that_cannot_matter_is_the_same_object():
    """A token without a first character of a stop passes untouched, and so does one whose match came to nothing."""
    machine = StopSequences("STOP").start()
    for token in (Token("hello"), Token("xSx"), Token("x" * 1000)):
        assert machine.feed(token)[0] is token


def test_each_id_leaves_once_with_the_first_piece():
    """A token cut by a held stop leaves in two pieces, of which the first carries the id."""
    tokens = [Token("ab S", id=1, logprob=-0.5), Token("o", id=2)]
    assert run_chain([StopSequences("STOP")], tokens)[:-1] == [
        Token("ab ", id=1, logprob=-0.5, raw="ab S"),
        Token("S", cont=True),
        Token("o", id=2),
    ]


def test_hidden_tokens_do_not_disturb_a_match():
    """A stop sequence matches across hidden tokens; those before it stay, those within it go."""
    tokens = [Token("", id=1, special=True, raw="<a>"), Token("ST", id=2), Token("", id=3, special=True, raw="<b>")]
    machine = StopSequences("STOP").start()
    assert [list(machine.feed(token)) for token in tokens] == [tokens[:1], [], []]
    assert list(machine.feed(Token("OP"))) == [Finish(reason="stop_sequence", stop="STOP")]


def test_hidden_tokens_keep_their_place_when_a_match_comes_to_nothing():
    """A hidden token behind held text leaves behind it."""
    tokens = [Token("ST", id=1), Token("", id=2, special=True, raw="<b>"), Token("x", id=3)]
    assert run_chain([StopSequences("STOP")], tokens)[:-1] == tokens


def test_a_hidden_token_that_is_a_stop_releases_held_text_first():
    """Half a stop sequence before the hidden token is text."""
    tokens = [Token("Hi<|im_"), Token("<|im_end|>", special=True), Token("x")]
    events = run_chain([SkipSpecialTokens(), StopSequences("<|im_end|>")], tokens)
    assert (visible(events), events[-1].stop) == ("Hi<|im_", "<|im_end|>")


def test_only_the_answer_is_read_by_default():
    """A stop sequence in the reasoning does not stop; with scope all it does."""
    tokens = [Token("aSTOPb", channel="reasoning"), Token("c")]
    assert run_chain([StopSequences("STOP")], tokens)[:-1] == tokens
    events = run_chain([StopSequences("STOP", scope="all")], tokens)
    assert (visible(events, "reasoning"), visible(events), events[-1].stop) == ("a", "", "STOP")


def test_other_events_and_channels_pass_while_text_is_held():
    """A tool call and a token of reasoning do not wait for text, and do not disturb the match."""
    machine = StopSequences("STOP").start()
    machine.feed(Token("ST"))
    for event in (ToolCallDelta(name="f"), Token("x", channel="reasoning")):
        assert machine.feed(event) == (event,)
    assert machine.feed(Token("OP"))[-1].reason == "stop_sequence"


def test_stops_are_given_as_arguments_or_iterables():
    """Both spellings make equal, hashable, printable values without duplicates."""
    recipe = StopSequences("\nUser:", "###", "###")
    assert recipe == StopSequences(["\nUser:", "###"])
    assert hash(recipe) == hash(StopSequences(("\nUser:", "###")))
    assert repr(recipe) == "StopSequences(stops=('\\nUser:', '###'), include_stop=False, scope='text')"


def test_no_stops_change_nothing():
    """An empty list, as a web form may send it, is the identity."""
    tokens = [Token("a"), Token("", special=True, raw="</s>"), Token("b" * 100)]
    assert run_chain([StopSequences([])], tokens)[:-1] == tokens


@pytest.mark.parametrize("bad", ["", None, 1, b"x"])
def test_impossible_stops_are_refused(bad):
    """An empty or non-string stop sequence is found when the recipe is made."""
    with pytest.raises(ConfigurationError, match="non-empty string"):
        StopSequences("ok", bad)


def test_an_unknown_scope_is_refused():
    """Only the scopes text and all exist."""
    with pytest.raises(ConfigurationError, match="scope"):
        StopSequences("a", scope="reasoning")


@pytest.mark.parametrize(
    ("known", "stops", "hints"),
    [
        ((), "ab", ("a", "b")),
        (("x",), "abcde", ("x", "a", "b", "c")),
        (("a",), "ab", ("a", "b")),
        (("v", "w", "x", "y"), "a", ("v", "w", "x", "y")),
        ((), ["bcd", "abcde"], ("bcd",)),
    ],
)
def test_the_server_gets_at_most_four_hints(known, stops, hints):
    """Stops that can win become hints behind those already there, four in all."""
    request = Request(prompt="q", stop=known)
    assert StopSequences(list(stops)).prepare(request).stop == hints


def test_no_hints_where_the_stop_is_to_be_shown():
    """A server would withhold the text it stops at."""
    request = Request(prompt="q")
    assert StopSequences("a", include_stop=True).prepare(request) is request
