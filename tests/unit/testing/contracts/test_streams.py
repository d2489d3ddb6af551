"""Streams that are made of the words a part looks for."""

import attrs
import pytest
from hypothesis import given, settings

from streamkit import Attempt, Token, ToolCallDelta
from streamkit.testing.contracts._streams import streams, texts, words_of


@attrs.frozen
class Recipe:
    """Has words in its settings and its code."""

    words: tuple = ("one", ["two", {"three": "four"}])
    number: int = 5

    def start(self):
        """Say a docstring, which is no word."""
        return lambda text: text == "five" or text in {"six", "sechs"} or [each for each in text if each == "seven"]


class Slotted:
    """Keeps its words in slots."""

    __slots__ = ("missing", "word")

    def __init__(self):
        self.word = "eight"


def test_words_come_from_settings_and_code():
    """Some levels deep; docstrings and long texts are none."""
    words = set(words_of(Recipe(), Slotted()))
    assert {"one", "two", "three", "four", "five", "six", "seven", "eight"} <= words
    assert not any("docstring" in word for word in words)
    assert words_of(Recipe(words=("x" * 41, ""))) == words_of(Recipe(words=()))


def test_a_part_that_refers_to_itself_has_an_end():
    """The search goes only so deep."""
    part = Recipe(words=[])
    part.words.append(part)
    assert "five" in words_of(part)


@settings(max_examples=200, derandomize=True, database=None)
@given(streams(["stop"]))
def test_streams_are_what_engines_send(events):
    """Failed tries come first, ids count up or are not there, and nothing is a Finish."""
    kinds = [type(event) for event in events]
    assert set(kinds) <= {Token, ToolCallDelta, Attempt}
    assert kinds == sorted(kinds, key=lambda kind: kind is not Attempt)
    ids = [event.id for event in events if isinstance(event, Token)]
    assert ids == sorted(set(ids)) if None not in ids else set(ids) == {None}


@pytest.mark.parametrize("surrogates", [True, False])
def test_half_characters_come_only_where_they_are_asked_for(surrogates):
    """Sinks and encoders must take them; a transform may rely on `RepairText`."""
    found = []

    @settings(max_examples=300, derandomize=True, database=None)
    @given(texts([], surrogates=surrogates))
    def look(text):
        found.extend(character for character in text if "\ud800" <= character <= "\udfff")

    look()
    assert bool(found) == surrogates
