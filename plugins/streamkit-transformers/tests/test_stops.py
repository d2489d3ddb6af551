"""Stop sequences as hints."""

from __future__ import annotations

from streamkit_transformers._stops import StopHints


def test_a_sequence_in_pieces_is_found_with_its_last_piece():
    """The cuts between tokens do not matter."""
    hints = StopHints(["\nUser:"])
    assert [hints.find(text) for text in ("Hi\nUs", "er", ":")] == [None, None, "\nUser:"]


def test_the_earliest_sequence_counts():
    """Of two sequences in one piece, the one that begins first is reported."""
    assert StopHints(["b", "a"]).find("xaxb") == "a"


def test_only_what_may_be_the_start_of_a_sequence_is_kept():
    """The memory of a long answer is one character less than the longest sequence."""
    hints = StopHints(["ab", "c"])
    assert [hints.find(text) for text in ("xyz", "a", "x", "a", "b")] == [None, None, None, None, "ab"]
    assert hints._tail == "b"


def test_without_sequences_nothing_is_kept():
    """No hints cost nothing."""
    hints = StopHints([""])
    assert hints.find("text") is None
    assert not hints._tail
