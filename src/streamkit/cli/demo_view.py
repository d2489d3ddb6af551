"""How the demo looks: two columns that grow live on a terminal, plain columns elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from streamkit.cli.fates import Fate, Fates, TokenFate
from streamkit.sinks.terminal import neutralise

STYLES: Final[dict[Fate, str]] = {
    "passed": "green",
    "held": "black on yellow",
    "released": "yellow",
    "joined": "cyan",
    "hidden": "bright_black",
    "cut": "red strike",
    "scrubbed": "magenta strike",
}

MEANINGS: Final[dict[Fate, str]] = {
    "passed": "shown at once",
    "held": "held back while it may become a stop sequence or an end mark",
    "released": "held, then shown",
    "joined": "half a character, shown with the rest of it",
    "hidden": "special token",
    "cut": "the stop sequence, and what the model said behind it",
    "scrubbed": "an end mark spelled as text",
}


@contextmanager
def view(console: Console, question: str, fates: Fates) -> Iterator[Callable[[], None]]:
    """Show a run until the `with` block is left.

    Args:
        console: Where.
        question: What was asked.
        fates: The run's tokens.

    Yields:
        A function to call when something has left the chain.
    """
    if console.is_terminal:
        # Drawn on a clock and not per event: what is held back is seen just because nothing leaves.
        with Live(get_renderable=lambda: _columns(question, fates), console=console, refresh_per_second=20):
            yield lambda: None
    else:
        console.print(f"\n{question}\n\n{'raw token':<16}{'fate':<12}clean text")
        yield _Lines(console, fates).update


def legend() -> Table:
    """Say what the colours mean."""
    table = Table.grid(padding=(0, 2))
    for fate, meaning in MEANINGS.items():
        table.add_row(Text(fate, STYLES[fate]), meaning)
    return table


def _columns(question: str, fates: Fates) -> Group:
    raw = Text()
    for each in tuple(fates.tokens):
        raw.append(_written(each).replace(" ", "·"), STYLES[each.fate]).append(" ")
    table = Table(expand=True)
    table.add_column("raw tokens", ratio=1)
    table.add_column("clean text", ratio=1)
    table.add_row(raw, Text(neutralise(fates.text)))
    return Group(Text(f"\n{question}", "bold"), table)


class _Lines:
    """Prints each token once it is known what became of it."""

    def __init__(self, console: Console, fates: Fates) -> None:
        self._console = console
        self._fates = fates
        self._printed = 0

    def update(self) -> None:
        for each in self._fates.tokens[self._printed :]:
            if each.fate == "held":
                break
            self._printed += 1
            shown = repr(each.shown) if each.shown else ""
            self._console.print(Text(f"{_written(each):<16}{each.fate:<12}{shown}".rstrip()), soft_wrap=True)


def _written(fate: TokenFate) -> str:
    return repr(fate.token.text)[1:-1] or "''"
