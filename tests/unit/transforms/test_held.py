"""Held tokens leave whole or cut at a character, and each id leaves once."""

from streamkit.events import Token
from streamkit.transforms._held import Held, hidden, piece


def held(*tokens):
    """Hold tokens, special ones without width."""
    ledger = Held()
    for token in tokens:
        ledger.push(token, 0 if token.special else len(token.text))
    return ledger


def test_a_whole_token_leaves_as_the_same_object():
    """A token that need not be cut is not made anew."""
    token = Token("abc", id=1)
    assert held(token).take(3)[0] is token


def test_the_first_piece_carries_the_identity():
    """The first piece has id, logprob and the full text in raw; the second is marked as a continuation."""
    ledger = held(Token("abc", id=1, logprob=-0.5))
    assert ledger.take(1) == [Token("a", id=1, logprob=-0.5, raw="abc")]
    assert ledger.take(1) == [Token("b", cont=True)]
    assert ledger.take(1) == [Token("c", cont=True)]
    assert not ledger


def test_what_is_left_of_a_token_whose_head_was_dropped_carries_the_identity():
    """Dropped text takes no id along when other text of its token is shown later."""
    ledger = held(Token("ab", id=1), Token("cd", id=2))
    assert ledger.drop(3) == []
    assert ledger.take(1) == [Token("d", id=2, raw="cd")]


def test_a_token_without_width_waits_for_the_text_before_it_only():
    """A zero-width token leaves with the last character before it, not with the next one behind it."""
    nothing = Token("", id=2)
    ledger = held(Token("ab", id=1), nothing, Token("cd", id=3))
    assert ledger.take(1) == [Token("a", id=1, raw="ab")]
    assert ledger.take(1) == [Token("b", cont=True), nothing]
    assert ledger.width == 2


def test_a_token_without_width_survives_dropped_text():
    """A hidden token amidst dropped text stays in the stream."""
    ledger = held(Token("ab"), Token("<pad>", special=True), Token("cd"))
    assert ledger.drop(4) == [Token("<pad>", special=True)]


def test_a_special_token_that_is_dropped_leaves_hidden():
    """A special token never vanishes: its text does."""
    ledger = Held()
    ledger.push(Token("</s>", id=2, special=True), 4)
    assert ledger.drop(4) == [Token("", id=2, special=True, raw="</s>")]


def test_raw_stays_the_text_of_the_model_through_two_cuts():
    """Cutting or hiding a piece that was cut before keeps the full text in raw."""
    once = piece(Token("abcd", id=1), 0, 3, begun=False)
    assert piece(once, 0, 2, begun=False) == Token("ab", id=1, raw="abcd")
    assert hidden(once).raw == "abcd"
    assert hidden(Token("tail", cont=True)) == Token("", cont=True)
