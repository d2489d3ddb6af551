"""RepairText joins characters that were cut in two."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamkit.errors import ConfigurationError
from streamkit.events import Token, ToolCallDelta
from streamkit.testing.feeding import feed_every_way, run_chain, visible
from streamkit.transforms import RepairText

HIGH, LOW = "\ud83d", "\ude00"  # the two surrogates of 😀


@given(
    st.text(st.sampled_from(["a", "é", "😀", HIGH, LOW, "\ufffd", "好"]), max_size=10),
    st.sampled_from(["keep", "drop"]),
)
def test_surrogates_are_joined_or_replaced(text, replacement):
    """Pairs become characters and lone halves U+FFFD, however the text is cut into tokens."""
    expected = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if replacement == "drop":
        expected = expected.replace("\ufffd", "")
    shown = visible(feed_every_way(RepairText(replacement=replacement), [Token(text, id=1)]))
    assert shown == expected
    shown.encode()


def test_the_token_that_completes_a_character_carries_it():
    """Half a character is held alone: the token that began it leaves at once, without it."""
    tokens = [Token("a" + HIGH, id=1), Token(LOW + "b", id=2)]
    assert run_chain([RepairText()], tokens)[:-1] == [
        Token("a", id=1, raw="a" + HIGH),
        Token("😀b", id=2, raw=LOW + "b"),
    ]


def test_special_and_empty_tokens_and_other_events_pass():
    """What holds no text of the answer neither completes a character nor gives it up."""
    machine = RepairText().start()
    machine.feed(Token(HIGH))
    for event in (Token("</s>", special=True), Token(""), ToolCallDelta(name="f"), Token("é", channel="reasoning")):
        assert machine.feed(event)[0] is event
    assert visible(machine.feed(Token(LOW))) == "😀"


def test_bytes_are_joined():
    """Byte pieces become the character they spell, with the last of them; an invalid one becomes U+FFFD at once."""
    tokens = [
        Token(piece, id=number) for number, piece in enumerate(["<0xE5>", "<0xA5>", "<0xBD>", "<0xFF>", "<0x0A>"])
    ]
    events = run_chain([RepairText(byte_pieces=True)], tokens)
    assert [event.text for event in events[:-1]] == ["", "", "好", "\ufffd", "\n"]
    assert [event.id for event in events[:-1]] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("rest", [[], [Token("a")]])
def test_bytes_that_are_never_completed_do_not_stall(rest):
    """Bytes left over become U+FFFD before the text that follows, or at the end."""
    events = run_chain([RepairText(byte_pieces=True)], [Token("<0xE5>"), Token("<0xA5>"), *rest])
    assert visible(events) == "\ufffd" + visible(rest)


def test_byte_pieces_are_text_unless_asked_for():
    """Without the option, a text like a byte is the model's own."""
    assert visible(run_chain([RepairText()], [Token("<0xE5>")])) == "<0xE5>"


def test_cumulative_text_becomes_what_is_new():
    """Each token shows what the text has grown by; U+FFFD at its end waits, for it may be half a character."""
    machine = RepairText(cumulative=True).start()
    texts = ["a", "ab\ufffd", "ab好", "ab", "ab好c\ufffd\ufffd\ufffd\ufffd"]
    assert [visible(machine.feed(Token(text))) for text in texts] == ["a", "b", "好", "", "c\ufffd"]
    assert visible(machine.flush()) == "\ufffd" * 3
    assert machine.flush() == ()


def test_impossible_settings_are_refused():
    """An unknown policy and two ways of reading a token are found when the recipe is made."""
    with pytest.raises(ConfigurationError, match="U\\+FFFD"):
        RepairText(replacement="guess")
    with pytest.raises(ConfigurationError, match="one of the two"):
        RepairText(byte_pieces=True, cumulative=True)
