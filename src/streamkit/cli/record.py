"""`streamkit record`: ask a model and keep the bytes of its answer."""

from __future__ import annotations

import sys
from pathlib import Path

import rich_click as click

from streamkit.cli.asking import Asking, asks
from streamkit.cli.failures import FAILED, reported
from streamkit.cli.showing import Showing


@click.command
@asks
@click.option("--out", required=True, metavar="FILE", help="Where the recording goes: a file that does not exist yet.")
def record(*, asking: Asking, out: str) -> None:
    """Ask a model, and keep what the server sends with its timing, for `streamkit replay`.

    The answer is shown as it comes. Nothing ends it early: what is done to it, stop sequences included, is for the
    replay to say. Neither the question nor the token is in the file.

    \b
    streamkit record "Where is Lisbon?" --endpoint http://127.0.0.1:8080 --out lisbon.jsonl
    """  # noqa: D301 - click's mark for lines not to be joined is a backspace
    with reported():
        from streamkit.sources import Record
        from streamkit.transforms import SkipSpecialTokens

        question, parameters, pipeline = asking.question(), asking.parameters(), asking.pipeline()
        recorded = pipeline.evolve(source=Record(pipeline.source, out), transforms=[SkipSpecialTokens()], sinks=())
        Showing().answer(recorded, question, parameters)
        if not Path(out).exists() and "{n}" not in out:
            sys.exit(FAILED)  # the log has said why
