"""How the demo looks."""

import io
from typing import get_args

from rich.console import Console

from streamkit.cli.demo_view import MEANINGS, STYLES, legend, view
from streamkit.cli.fates import Fate, Fates
from streamkit.events import Finish, Token


def _console(*, terminal):
    return Console(file=io.StringIO(), force_terminal=terminal, width=100, color_system=None, legacy_windows=False)


def test_every_fate_has_a_colour_and_a_meaning():
    """The legend explains all that can be seen."""
    console = _console(terminal=False)

    console.print(legend())

    assert set(STYLES) == set(MEANINGS) == set(get_args(Fate))
    assert all(meaning in console.file.getvalue() for meaning in MEANINGS.values())


def test_plain_columns_are_printed_when_a_fate_is_known():
    """In a pipe, a held token waits for its fate, and the order is that of the model."""
    console, fates = _console(terminal=False), Fates()

    with view(console, "Hello?", fates) as update:
        fates.on_token(Token("\n", id=1))
        update()
        before = console.file.getvalue()
        fates.on_token(Token("Hi", id=2))
        fates.leave(Token("\n", id=1))
        fates.leave(Token("Hi", id=2))
        update()

    assert "Hello?" in before
    assert r"\n" not in before
    assert console.file.getvalue().removeprefix(before).splitlines() == [
        r"\n              released    '\n'",
        "Hi              passed      'Hi'",
    ]


def test_a_terminal_shows_raw_tokens_beside_clean_text():
    """The last picture has every token, and the text without what was cut; control characters are harmless."""
    console, fates = _console(terminal=True), Fates()

    with view(console, "Hello?", fates):
        for number, text in enumerate(["[b]Hi", "\x1b]0;x", "\nUser:"]):
            fates.on_token(Token(text, id=number))
        fates.leave(Token("[b]Hi", id=0))
        fates.leave(Token("\x1b]0;x", id=1))
        fates.leave(Finish(reason="stop_sequence"))

    picture = console.file.getvalue()
    assert r"[b]Hi \x1b]0;x \nUser:" in picture
    assert "[b]Hi␛]0;x" in picture
    assert "\x1b]0" not in picture
