"""Smooth lets text go in words or lines and changes none of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamkit.errors import ConfigurationError
from streamkit.events import Token, ToolCallDelta
from streamkit.testing.feeding import feed_every_way, run_chain, visible
from streamkit.transforms import Smooth

texts = st.lists(st.text("ab \n好。", max_size=6))


def pieces(recipe, *texts):
    """Return the texts of the tokens that leave while these are fed, without the flush."""
    machine = recipe.start()
    return [event.text for text in texts for event in machine.feed(Token(text))]


@given(texts, st.sampled_from(["word", "line"]), st.integers(1, 5))
def test_the_text_is_not_changed(parts, by, size):
    """All text leaves, in order, with each id once, however it is cut into tokens."""
    tokens = [Token(part, id=number) for number, part in enumerate(parts)]
    assert visible(feed_every_way(Smooth(by=by, max_chars=size), tokens)) == "".join(parts)


@given(texts, st.sampled_from(["word", "line"]), st.integers(1, 5))
def test_what_is_held_is_bounded(parts, by, size):
    """Less than max_chars characters wait, and what is shown does not depend on the cut into tokens."""
    recipe = Smooth(by=by, max_chars=size)
    text = "".join(parts)
    shown = "".join(pieces(recipe, *parts))
    assert len(text) - len(shown) < size
    assert shown == "".join(pieces(recipe, text)) == "".join(pieces(recipe, *text))


def test_a_word_leaves_when_the_next_begins():
    """Tokens that together make a word leave together, untouched."""
    machine = Smooth().start()
    hel, lo, world = Token("Hel", id=1), Token("lo", id=2), Token(" world", id=3)
    assert [*machine.feed(hel), *machine.feed(lo)] == []
    left = machine.feed(world)
    assert left[0] is hel
    assert left[1] is lo
    assert machine.flush()[0] is world


def test_a_token_of_several_words_leaves_in_pieces():
    """Each word is a piece of its own, and the first carries the id."""
    events = run_chain([Smooth()], [Token("one two\nthree", id=1)])
    assert events[:-1] == [
        Token("one", id=1, raw="one two\nthree"),
        Token(" two", cont=True),
        Token("\nthree", cont=True),
    ]


def test_chinese_and_japanese_leave_by_character():
    """Script without spaces is not held back."""
    assert pieces(Smooth(), "你好。", "こ", "カ") == ["你", "好", "。", "こ", "カ"]


def test_a_long_word_is_forced_out():
    """A word longer than the bound leaves in parts."""
    assert pieces(Smooth(max_chars=4), "abcdefghi") == ["abcd", "efgh"]


def test_lines_leave_with_their_ends():
    """By line, a line leaves with its newline."""
    assert pieces(Smooth(by="line"), "a b\nc", "d\n", "e") == ["a b\n", "c", "d\n"]


@pytest.mark.parametrize("event", [ToolCallDelta(name="f"), Token("x", channel="reasoning")])
def test_another_event_or_channel_lets_held_text_go(event):
    """Order is kept between channels: the word begun leaves before what follows it."""
    machine = Smooth().start()
    machine.feed(Token("wor"))
    left = [*machine.feed(event), *machine.flush()]
    assert left == [Token("wor"), event]
    assert (machine.feed(Token("x ")), machine.flush()) == ((), ())


def test_tokens_without_text_keep_their_place():
    """A hidden token passes when nothing is held, and waits behind text that is."""
    hidden = Token("", id=2, special=True, raw="<s>")
    machine = Smooth().start()
    assert machine.feed(hidden) == [hidden]
    assert [*machine.feed(Token("a")), *machine.feed(hidden)] == []
    assert machine.flush() == [Token("a"), hidden]


def test_impossible_settings_are_refused():
    """An unknown unit and a bound below one character are found when the recipe is made."""
    with pytest.raises(ConfigurationError, match="word"):
        Smooth(by="page")
    with pytest.raises(ConfigurationError, match="max_chars"):
        Smooth(max_chars=0)


@pytest.mark.parametrize(
    ("first", "last"),
    ["\u3001\u30ff", "\u31f0\u31ff", "\u3400\u9fff", "\uf900\ufaff", "\uff00\uffef", "\U00020000\U0003ffff"],
)
def test_the_characters_that_stand_alone(first, last):
    """Each block of them from its first to its last character, and none beside it; U+3000 is a space."""
    for character in (first, last):
        assert visible(Smooth().start().feed(Token(character))) == character
    for neighbour in (chr(ord(first) - 1), chr(ord(last) + 1)):
        assert visible(Smooth().start().feed(Token(neighbour))) == ""
