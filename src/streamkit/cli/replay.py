"""`streamkit replay`: play a recorded answer."""

from __future__ import annotations

import rich_click as click

from streamkit.cli.cleaning import Cleaning, cleans
from streamkit.cli.failures import reported
from streamkit.cli.showing import Showing, shows


@click.command
@click.argument("file")
@click.option("--format", "answer_format", metavar="NAME", help="The format of a bare body; a recording knows its own.")
@click.option(
    "--speed",
    type=click.FloatRange(0, min_open=True),
    metavar="N",
    help="1 for the original pace, 2 for twice as fast.  [default: at once]",
)
@cleans
@shows
def replay(*, file: str, answer_format: str | None, speed: float | None, cleaning: Cleaning, showing: Showing) -> None:
    """Play FILE: a recording, or the bare body of a response.

    \b
    streamkit replay lisbon.jsonl --speed 1
    streamkit replay lisbon.jsonl --stop "\\nUser:" --show tokens
    streamkit replay body.sse --format tgi
    """  # noqa: D301 - click's mark for lines not to be joined is a backspace
    showing.check()
    with reported():
        from streamkit.sources import Replay

        showing.answer(Replay(file, answer_format, speed=speed) | cleaning.transforms(), "", {})
