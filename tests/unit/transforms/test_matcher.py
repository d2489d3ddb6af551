"""The automaton finds the word that ends first, prunes what cannot win, and is shared."""

import pytest

from streamkit.errors import ConfigurationError
from streamkit.transforms._matcher import MAX_CHARACTERS, Matcher, matcher, words_of


def test_a_word_in_which_another_ends_early_cannot_win():
    """A word that contains another before its last character is left out; one with another as suffix stays."""
    assert Matcher(("bcd", "abcde", "cd")).live == ("bcd", "cd")
    assert Matcher(("a", "ab", "abc")).live == ("a",)


def test_the_depth_is_the_text_that_can_still_become_a_word():
    """After text the state is as deep as the longest suffix that begins a word."""
    words = Matcher(("abab", "bb"))
    assert [words.walk(words.root, text).depth for text in ("", "xa", "xab", "ababx", "xaba", "xabaa")] == [
        *(0, 1, 2, 4, 3, 1),
    ]


@pytest.mark.parametrize("size", [3, 300])
def test_long_and_short_text_are_walked_alike(size):
    """A text long enough for jumps gives the state that looking at each character gives."""
    words = Matcher(("STOP", "SOS"))
    text = "x" * size + "SSTSO"
    node = words.root
    for char in text:
        node = words.walk(node, char)
    assert words.walk(words.root, text) is node
    assert words.walk(words.root, text + "S" + "x" * size).word == "SOS"


def test_many_first_characters_give_up_jumping():
    """With more than eight distinct first characters no jump is compiled, and matches are found all the same."""
    words = Matcher(tuple(f"{char}!" for char in "abcdefghi"))
    assert words.jump is None
    assert words.walk(words.root, "-" * 100 + "e!" + "-" * 100).word == "e!"


def test_first_characters_that_mean_something_to_a_regular_expression():
    """Brackets, carets and backslashes are jumped to as themselves."""
    words = Matcher(("]x", "^x", "\\x", "-x"))
    for word in words.live:
        assert words.walk(words.root, "a" * 100 + word + "a" * 100).word == word


def test_the_same_words_share_one_automaton():
    """Runs with the same words use the same object, which walking does not change."""
    first = matcher(("ab", "cd"))
    before = repr(first.root)
    first.walk(first.root, "xxabxxcdxx")
    assert matcher(("ab", "cd")) is first
    assert repr(first.root) == before


def test_words_are_flattened_and_deduplicated_in_order():
    """Words may come one by one or in iterables, and the first occurrence of each counts."""
    assert words_of(("b", ["a", "b"], ("c",)), "a word") == ("b", "a", "c")


@pytest.mark.parametrize("bad", ["", None, 3, b"x", ["ok", ""]])
def test_a_word_that_is_empty_or_no_string_is_refused(bad):
    """An empty word would match everywhere, so it is refused with the name of the setting."""
    with pytest.raises(ConfigurationError, match=r"a stop sequence must be a non-empty string"):
        words_of((bad,), "a stop sequence")


def test_too_many_characters_are_refused():
    """The size of an automaton is bounded by the total length of its words."""
    assert words_of(("x" * MAX_CHARACTERS,), "a stop sequence")
    with pytest.raises(ConfigurationError, match="100001 characters"):
        words_of(("x" * MAX_CHARACTERS, "y"), "a stop sequence")


def test_a_very_long_word_needs_no_recursion():
    """A word of thousands of characters is built and matched without a stack of its depth."""
    words = Matcher(("a" * 20_000 + "b",))
    assert words.walk(words.root, "a" * 30_000).depth == 20_000
    assert words.walk(words.root, "a" * 30_000 + "b").word is not None
