"""Whatever a model writes, a terminal only prints it."""

import io
import sys
import unicodedata

import pytest

from streamkit.sinks.terminal import neutralise, write_encodable


def test_every_control_character_but_newline_and_tab_becomes_visible():
    """No character of category Cc other than newline and tab is left, whatever comes in."""
    every = "".join(map(chr, range(sys.maxunicode + 1)))

    left = {character for character in neutralise(every) if unicodedata.category(character) == "Cc"}

    assert left == {"\n", "\t"}


@pytest.mark.parametrize(
    ("character", "shown"),
    [
        ("\x1b", "␛"),
        ("\x00", "␀"),
        ("\x07", "␇"),
        ("\x08", "␈"),
        ("\r", "␍"),
        ("\x7f", "␡"),
        ("\x9b", "⟨U+009B⟩"),
        ("\u202e", "⟨U+202E⟩"),
        ("\u2066", "⟨U+2066⟩"),
        ("\u2069", "⟨U+2069⟩"),
        ("\udc9b", "\ufffd"),
    ],
)
def test_each_kind_of_control_has_its_symbol(character, shown):
    """A reader can tell which control the model wrote."""
    assert neutralise(character) == shown


def test_ordinary_text_is_left_alone():
    """Letters of any script, emoji with joiners, marks and look-alikes pass as they are."""
    text = "naïve 日本語 שלום\u200f 👩‍🚀 e\u0301 \ufeff ␛ line\n\ttab\u00a0\u2028"

    assert neutralise(text) == text


@pytest.mark.parametrize("attack", ["\x1b]52;c;aGk=\x07", "\x1b[2J\x1b[6n", "\x9b31m", "\x1bP$q\x1b\\", "a\rb\x08\x08"])
def test_a_control_sequence_cut_anywhere_stays_harmless(attack):
    """Every way to cut a control sequence in two gives the same symbols as the whole."""
    for cut in range(len(attack) + 1):
        assert neutralise(attack[:cut]) + neutralise(attack[cut:]) == neutralise(attack)
    assert not any(unicodedata.category(character) == "Cc" for character in neutralise(attack))


def test_what_the_encoding_lacks_becomes_a_question_mark():
    """An ASCII terminal shows an answer in French instead of failing."""
    buffer = io.BytesIO()
    file = io.TextIOWrapper(buffer, encoding="ascii", newline="")

    write_encodable(file, "déjà vu")
    file.flush()

    assert buffer.getvalue() == b"d?j? vu"
