"""What became of each token, against the transforms themselves."""

import pytest

from streamkit.cli.fates import Fates
from streamkit.events import Finish, Token
from streamkit.request import Request
from streamkit.run import Run
from streamkit.transforms import RepairText, ScrubEos, SkipSpecialTokens, StopSequences

CHAIN = (RepairText(byte_pieces=True), ScrubEos(), SkipSpecialTokens(), StopSequences("\nUser:"))


def _special(text):
    return Token(text, special=True)


def _follow(tokens, finish):
    """Feed tokens as the driver does; return the fates after each and at the end."""
    run, fates, after = Run(Request(prompt="Hello"), CHAIN), Fates(), []
    for number, each in enumerate(tokens):
        token = Token(each, id=number) if isinstance(each, str) else Token(each.text, id=number, special=each.special)
        fates.on_token(token)
        for event in run.feed(token):
            fates.leave(event)
        after.append([each.fate for each in fates.tokens])
    for event in () if run.done else run.feed(finish):
        fates.leave(event)
    return fates, after


@pytest.mark.parametrize(
    ("tokens", "expected"),
    [
        (["Hel", "lo"], ["passed", "passed"]),
        ([_special("<s>"), "Hi"], ["hidden", "passed"]),
        (["Hi", "\nUs", "er:"], ["passed", "cut", "cut"]),
        (["Hi.\nUs", "er: x"], ["cut", "cut"]),
        (["\n", "Us", "ing", " it"], ["released", "released", "passed", "passed"]),
        (["Hi", "</", "s", ">", _special("</s>")], ["passed", "scrubbed", "scrubbed", "scrubbed", "hidden"]),
        (["<0xE2>", "<0x82>", "<0xAC>", "1"], ["joined", "joined", "joined", "passed"]),
        (["Hi", "\nUs"], ["passed", "passed"]),
    ],
)
def test_each_token_has_the_fate_that_the_chain_gave_it(tokens, expected):
    """Passing, hiding, holding, joining, cutting and scrubbing are told apart, in order of reading."""
    fates, _ = _follow(tokens, Finish(reason="eos_token"))

    assert [each.fate for each in fates.tokens] == expected


def test_a_held_token_is_known_before_it_is_decided():
    """While text may still become a stop sequence its token is held, then all of it is released."""
    _, after = _follow(["Hi", "\nUs", "e", "ful"], Finish())

    assert after == [
        ["passed"],
        ["passed", "held"],
        ["passed", "held", "held"],
        ["passed", "released", "released", "passed"],
    ]


def test_the_clean_text_is_what_left():
    """The text beside the tokens is the answer so far."""
    fates, _ = _follow([_special("<s>"), "Hi.\nUs", "er: x"], Finish())

    assert fates.text == "Hi."
    assert [each.shown for each in fates.tokens] == ["", "Hi.", ""]


def test_equal_ids_are_taken_in_order():
    """Of several tokens with one id, the first that has not left is the one that leaves."""
    fates = Fates()
    for _ in range(2):
        fates.on_token(Token("a", id=7))
        fates.leave(Token("a", id=7))

    assert [each.shown for each in fates.tokens] == ["a", "a"]
