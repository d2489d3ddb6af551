"""Tokens as lines."""

import pytest

from streamkit.cli.token_lines import print_token, token_line
from streamkit.events import Finish, Token


@pytest.mark.parametrize(
    ("token", "line"),
    [
        (Token(" wor\n", id=42), r"     42           ' wor\n'"),
        (Token("x"), "      -           'x'"),
        (Token("", id=2, special=True, raw="</s>"), "      2  special  ''  of '</s>'"),
        (Token("hm", channel="reasoning"), "      -  reasoning 'hm'"),
        (Token("b", cont=True), "      -  cont     'b'"),
        (Token("\x1b[2J\u202e"), r"      -           '\x1b[2J\u202e'"),
    ],
)
def test_a_line_says_what_a_token_is(token, line):
    """Id, marks, text and what the model produced are there, and control characters are spelled out."""
    assert token_line(token) == line


def test_only_tokens_are_printed(capsys):
    """The finish belongs to the closing line."""
    print_token(Token("x"))
    print_token(Finish())

    assert capsys.readouterr().out == "      -           'x'\n"
