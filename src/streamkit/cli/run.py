"""`streamkit run`: ask a model once and show the answer as it comes."""

from __future__ import annotations

import rich_click as click

from streamkit.cli.asking import Asking, asks
from streamkit.cli.cleaning import Cleaning, cleans
from streamkit.cli.failures import reported
from streamkit.cli.showing import Showing, shows


@click.command
@asks
@cleans
@shows
def run(*, asking: Asking, cleaning: Cleaning, showing: Showing) -> None:
    """Ask a model and show the answer as it comes.

    PROMPT is the text to continue or the question to answer; without it, or with -, it is read from stdin. Name the
    model by --endpoint, by --model, or by both, or describe the whole pipeline in a file.

    \b
    streamkit run "Where is Lisbon?" --model meta-llama/Llama-3.3-70B-Instruct
    streamkit run "User: Hello" --endpoint http://127.0.0.1:8080 --stop "\\nUser:"
    streamkit run "What can you do in Nuremberg?" --pipeline nuremberg.toml
    """  # noqa: D301 - click's mark for lines not to be joined is a backspace
    showing.check()
    with reported():
        question, parameters, pipeline = asking.question(), asking.parameters(), asking.pipeline()
        if asking.pipeline_file is None:
            pipeline = pipeline.evolve(transforms=cleaning.transforms())
        else:
            cleaning.refuse_beside_file()
        showing.answer(pipeline, question, parameters)
