"""`streamkit demo`: the whole pipeline at work, without a model, an account or a network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import rich_click as click

from streamkit.cli.failures import reported

if TYPE_CHECKING:
    from rich.console import Console

    from streamkit.result import RunResult

PACE: Final = 0.12
"""Seconds between two tokens: slow enough to see a token being held."""

INTRODUCTION: Final = (
    "This is an emulated endpoint on your own machine, not a real model: the answers are written in advance, to show "
    "every difficulty. HTTP, wire format and transforms are the real ones."
)

NEXT: Final = """\
What to try next:
  {streamkit} emulate --port 8080
    keeps such a server running; then, in another terminal:
  {streamkit} run Hi --endpoint http://127.0.0.1:8080 --show tokens
  {streamkit} serve --demo
    shows the same in a browser; needs the extra `serve`
  {streamkit} run Hi --model meta-llama/Llama-3.3-70B-Instruct
    asks a model on the Hub, after `hf auth login`\
"""


@click.command
@click.option("--fast", is_flag=True, help="Do not wait between tokens.")
def demo(*, fast: bool) -> None:
    """Watch raw tokens become clean text; needs no model and no account."""
    with reported():
        from rich.console import Console

        from streamkit.cli.closing_line import closing_line
        from streamkit.cli.demo_script import SCRIPT, answer
        from streamkit.cli.demo_view import legend
        from streamkit.testing import EmulatedEndpoint

        console = Console(highlight=False)
        console.print(INTRODUCTION)
        console.print()
        console.print(legend())
        with EmulatedEndpoint(answer, pace=0.0 if fast else PACE) as server:
            for question in SCRIPT:
                result = _show(console, server.url, question)
                console.print(closing_line(result), style="dim")
        console.print()
        console.print(NEXT.format(streamkit=_called()), soft_wrap=True, markup=False)


def _called() -> str:
    """Return how to call the command again: by its path where the shell does not find it, as after `make demo`."""
    import shutil
    import sys

    return "streamkit" if shutil.which("streamkit") else sys.argv[0]


def _show(console: Console, url: str, question: str) -> RunResult:
    from streamkit.cli.demo_script import STOP
    from streamkit.cli.demo_view import Seen, view
    from streamkit.followed import Followed
    from streamkit.sources import Endpoint
    from streamkit.transforms import RepairText, ScrubEos, SkipSpecialTokens, StopSequences

    seen = Seen()
    chain = (RepairText(byte_pieces=True), ScrubEos(), SkipSpecialTokens(), StopSequences(STOP))
    pipeline = Endpoint(url, api="tgi", token=False) | Followed(chain, seen.take)
    with view(console, question, seen) as update, pipeline.stream(question) as stream:
        for event in stream.events():
            seen.add(event)
            update()
    return stream.result
