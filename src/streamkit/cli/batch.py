"""`streamkit batch`: ask a file of questions, and keep the answers in another, which says what is done."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import attrs
import rich_click as click

from streamkit.cli.asking import Whom, asks_each
from streamkit.cli.cleaning import Cleaning, cleans
from streamkit.cli.failures import FAILED, reported

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractAsyncContextManager

    from streamkit.cli.journal import Journal
    from streamkit.cli.rows import BrokenRow, Row
    from streamkit.cli.tally import Tally
    from streamkit.pipeline import Pipeline
    from streamkit.result import RunResult

RETRIES: Final = 4
"""How often a row is asked again that a busy server refused, unless --retries says otherwise."""


@click.command
@click.argument("questions", type=click.File("rb", lazy=True))
@click.option("--out", required=True, metavar="FILE", type=click.Path(path_type=Path), help="Where the answers go.")
@click.option("--concurrency", type=click.IntRange(1), default=16, show_default=True, help="How many to ask at once.")
@asks_each
@cleans
def batch(*, questions: BinaryIO, out: Path, concurrency: int, whom: Whom, cleaning: Cleaning) -> None:
    """Ask every row of QUESTIONS, a file of JSON lines; run it again to go on where it ended.

    A row is a prompt, or an object with `prompt` or `messages`, and maybe `id` and `parameters`. Each answer is a line
    of --out. Rows that have a completed one there are not asked again.

    \b
    streamkit batch questions.jsonl --out answers.jsonl --endpoint http://127.0.0.1:8080 --concurrency 64
    """  # noqa: D301 - click's mark for lines not to be joined is a backspace
    with reported():
        import asyncio

        from streamkit.cli.journal import Journal
        from streamkit.cli.rows import read_rows
        from streamkit.cli.tally import Tally
        from streamkit.many import arun_many

        pipeline = _pipeline(whom, cleaning, out)
        if out.exists() and Path(questions.name).exists() and out.samefile(questions.name):
            raise click.UsageError("--out is the file of the questions: give another one.")
        tally = Tally()
        with Journal(out) as journal, _told(tally) as show:
            rows = _to_ask(read_rows(questions, whom.asked), journal, tally)
            answers = arun_many(pipeline, rows, concurrency=concurrency)
            asyncio.run(_interruptible(_keep(answers, journal, tally, show)))
        if tally.failed:
            sys.exit(FAILED)


def _pipeline(whom: Whom, cleaning: Cleaning, out: Path) -> Pipeline:
    from streamkit.sinks import Console, JsonLines

    if whom.pipeline_file is None:
        whom = attrs.evolve(whom, retries=RETRIES if whom.retries is None else whom.retries)
        pipeline = whom.pipeline().evolve(transforms=cleaning.transforms())
    else:
        cleaning.refuse_beside_file()
        pipeline = whom.pipeline()
    if any(isinstance(sink, JsonLines) and sink.target == out for sink in pipeline.sinks):
        raise click.UsageError("--out is the file of one of the pipeline's sinks: give another one.")
    sinks = [sink for sink in pipeline.sinks if not isinstance(sink, Console)]
    return pipeline.evolve(sinks=sinks, parameters={**pipeline.parameters, **whom.parameters()})


def _to_ask(rows: Iterator[Row | BrokenRow], journal: Journal, tally: Tally) -> Iterator[Row]:
    """Yield the rows that are not done; what cannot be asked is written down as it is met."""
    from streamkit.cli.rows import Row
    from streamkit.errors import ConfigurationError
    from streamkit.many import unasked
    from streamkit.sinks.records import question_of

    met = dict.fromkeys(journal.done, False)
    for row in rows:
        before = met.get(row.id)
        met[row.id] = True
        if before:
            error = ConfigurationError(f"the id {row.id!r} is that of an earlier row: give each row its own")
            journal.add(None, question_of(row) if isinstance(row, Row) else {}, unasked(error))
            tally.failed += 1
        elif before is False:
            tally.skipped += 1
        elif isinstance(row, Row):
            yield row
        else:
            journal.add(row.id, {}, unasked(row.error))
            tally.failed += 1


async def _keep(
    answers: AbstractAsyncContextManager[AsyncIterator[tuple[Row, RunResult]]],
    journal: Journal,
    tally: Tally,
    show: Callable[[], None],
) -> None:
    from streamkit.sinks.records import question_of

    async with answers as ended:
        async for row, result in ended:
            journal.add(row.id, question_of(row), result)
            tally.add(row, result)
            show()


@contextmanager
def _told(tally: Tally) -> Iterator[Callable[[], None]]:
    """Show the tally on stderr: as it grows on a terminal, and once at the end, whatever the end is."""
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    columns = SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn()
    try:
        with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
            task = progress.add_task(str(tally), total=None)
            yield lambda: progress.update(task, description=str(tally))
    finally:
        click.secho(str(tally), err=True, dim=True)


async def _interruptible(work: Coroutine[Any, Any, None]) -> None:
    """Await; Ctrl-C cancels, so that everything is left in order and not in the middle of a step of the loop."""
    import asyncio

    task, loop = asyncio.ensure_future(work), asyncio.get_running_loop()

    def interrupt(_signal: int, _frame: object) -> None:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        loop.call_soon_threadsafe(task.cancel)

    before = signal.getsignal(signal.SIGINT)
    if before is not signal.SIG_IGN:  # the command runs in background
        signal.signal(signal.SIGINT, interrupt)
    try:
        await task
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None
    finally:
        signal.signal(signal.SIGINT, before)
