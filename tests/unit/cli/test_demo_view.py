"""How the demo looks."""

import io
from typing import get_args

from rich.console import Console

from streamkit.cli.demo_view import MEANINGS, STYLES, Seen, legend, view
from streamkit.followed import Followed
from streamkit.testing import replay
from streamkit.trail import Fate
from streamkit.transforms import StopSequences


def _console(*, terminal):
    return Console(file=io.StringIO(), force_terminal=terminal, width=100, color_system=None, legacy_windows=False)


def _played(console, tokens):
    """Show a run with a stop sequence, and return what was printed after each event that left."""
    seen, printed = Seen(), []
    pipeline = replay(tokens) | Followed((StopSequences("\nUser:"),), seen.take)
    with view(console, "Hello?", seen) as update, pipeline.stream() as stream:
        for event in stream.events():
            seen.add(event)
            update()
            printed.append(console.file.getvalue())
    return printed


def test_every_fate_has_a_colour_and_a_meaning():
    """The legend explains all that can be seen in the demo."""
    console = _console(terminal=False)

    console.print(legend())

    assert set(STYLES) == set(get_args(Fate))
    assert set(MEANINGS) == set(STYLES) - {"changed"}
    assert all(meaning in console.file.getvalue() for meaning in MEANINGS.values())


def test_plain_columns_are_printed_when_a_fate_is_known():
    """In a pipe, a held token waits for its fate, and the order is that of the model."""
    first, *_, last = _played(_console(terminal=False), ["Oh", "\n", "Hi"])

    assert "Hello?" in first
    assert r"\n" not in first
    assert last.removeprefix(first).splitlines() == [
        r"\n              released    '\n'",
        "Hi              passed      'Hi'",
    ]


def test_a_terminal_shows_raw_tokens_beside_clean_text():
    """The last picture has every token, and the text without what was cut; control characters are harmless."""
    console = _console(terminal=True)
    _played(console, ["[b]Hi", "\x1b]0;x", "\nUser:"])

    picture = console.file.getvalue()

    assert r"[b]Hi \x1b]0;x \nUser:" in picture
    assert "[b]Hi␛]0;x" in picture
    assert "\x1b]0" not in picture
