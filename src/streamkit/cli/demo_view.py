"""How the demo looks: two columns that grow live on a terminal, plain columns elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import attrs
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from streamkit.events import Event, Token
from streamkit.sinks.terminal import neutralise
from streamkit.trail import Fate, Trace

STYLES: Final[dict[Fate, str]] = {
    "passed": "green",
    "held": "black on yellow",
    "released": "yellow",
    "joined": "cyan",
    "changed": "blue",
    "hidden": "bright_black",
    "cut": "red strike",
    "scrubbed": "magenta strike",
}

# Nothing in the demo is shown with another text.
MEANINGS: Final[dict[Fate, str]] = {
    "passed": "shown at once",
    "held": "held back while it may become a stop sequence or an end mark",
    "released": "held, then shown",
    "joined": "half a character, shown with the rest of it",
    "hidden": "special token",
    "cut": "the stop sequence, and what the model said behind it",
    "scrubbed": "an end mark spelled as text",
}


@attrs.define(eq=False)
class Seen:
    """What there is to see of a run: the tokens that went into its chain, and the text that left it."""

    tokens: list[Trace] = attrs.field(factory=list)
    text: str = ""

    def take(self, changes: Sequence[Trace]) -> tuple[Event, ...]:
        """Take tokens of which something has changed; they are the same objects each time."""
        self.tokens += [each for each in changes if each.number >= len(self.tokens)]
        return ()

    def add(self, event: Event) -> None:
        """Take an event that left the chain."""
        if type(event) is Token and event.channel == "text":
            self.text += event.text


@contextmanager
def view(console: Console, question: str, seen: Seen) -> Iterator[Callable[[], None]]:
    """Show a run until the `with` block is left.

    Args:
        console: Where.
        question: What was asked.
        seen: What there is to see.

    Yields:
        A function to call when something has left the chain.
    """
    if console.is_terminal:
        # Drawn on a clock and not per event: what is held back is seen just because nothing leaves.
        with Live(get_renderable=lambda: _columns(question, seen), console=console, refresh_per_second=20):
            yield lambda: None
    else:
        console.print(f"\n{question}\n\n{'raw token':<16}{'fate':<12}clean text")
        yield _Lines(console, seen).update


def legend() -> Table:
    """Say what the colours mean."""
    table = Table.grid(padding=(0, 2))
    for fate, meaning in MEANINGS.items():
        table.add_row(Text(fate, STYLES[fate]), meaning)
    return table


def _columns(question: str, seen: Seen) -> Group:
    raw = Text()
    for each in tuple(seen.tokens):
        raw.append(_written(each).replace(" ", "·"), STYLES[each.fate]).append(" ")
    table = Table(expand=True)
    table.add_column("raw tokens", ratio=1)
    table.add_column("clean text", ratio=1)
    table.add_row(raw, Text(neutralise(seen.text)))
    return Group(Text(f"\n{question}", "bold"), table)


class _Lines:
    """Prints each token once it is known what became of it."""

    def __init__(self, console: Console, seen: Seen) -> None:
        self._console = console
        self._seen = seen
        self._printed = 0

    def update(self) -> None:
        for each in self._seen.tokens[self._printed :]:
            if each.fate == "held":
                break
            self._printed += 1
            shown = repr(each.shown) if each.shown else ""
            self._console.print(Text(f"{_written(each):<16}{each.fate:<12}{shown}".rstrip()), soft_wrap=True)


def _written(trace: Trace) -> str:
    return repr(trace.token.text)[1:-1] or "''"
