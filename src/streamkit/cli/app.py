"""The commands and what they have in common."""

from __future__ import annotations

from typing import Final

import rich_click as click

from streamkit.cli.batch import batch
from streamkit.cli.demo import demo
from streamkit.cli.emulate import emulate
from streamkit.cli.new_plugin import new_plugin
from streamkit.cli.plugins import plugins
from streamkit.cli.record import record
from streamkit.cli.replay import replay
from streamkit.cli.run import run
from streamkit.cli.serve import serve

HELP: Final = {"text_paragraph_linebreaks": "\n\n", "range_string": ""}
"""How rich-click writes help: paragraphs stay apart, and a range is told by the error of a number outside of it."""


@click.group(context_settings={"help_option_names": ["-h", "--help"], "rich_help_config": HELP})
@click.command_panel("Ask a model", commands=["run", "batch", "record", "replay"])
@click.command_panel("Show and serve", commands=["demo", "serve", "emulate"])
@click.command_panel("Extend", commands=["plugins", "new-plugin"])
@click.version_option(package_name="streamkit-hf")
def app() -> None:
    """Turn the raw token stream of a language model into clean text, live.

    The answer goes to stdout, everything else to stderr. The exit status is 0 when the answer is complete, 1 when it
    failed, 2 when the question could not be put, and 130 after Ctrl-C.
    """


app.add_command(run)
app.add_command(batch)
app.add_command(record)
app.add_command(replay)
app.add_command(demo)
app.add_command(serve)
app.add_command(emulate)
app.add_command(plugins)
app.add_command(new_plugin)
