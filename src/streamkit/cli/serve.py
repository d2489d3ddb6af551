"""`streamkit serve`: named pipelines behind the routes that clients already ask."""

from __future__ import annotations

import contextlib
import gc
import logging
from typing import TYPE_CHECKING, Any, Final

import rich_click as click

from streamkit.cli.failures import reported

if TYPE_CHECKING:
    from collections.abc import Iterator

    from streamkit.testing import ScriptedToken, SeenRequest
    from streamkit.web.gateway import Configuration

PACE: Final = 0.05
"""Seconds between two tokens of the demo."""

MISSING: Final = "the server is an extra: pip install 'streamkit-hf[serve]'"


@click.command
@click.option("--config", "path", metavar="FILE", help="The gateway's TOML file.")
@click.option("--demo", is_flag=True, help="Serve an emulated model; needs no file.")
@click.option("--host", metavar="ADDRESS", help="Where to listen.  [default: 127.0.0.1]")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    metavar="NUMBER",
    help="Where to listen; 0 for any free port.  [default: 8080]",
)
@click.option("--verbose", is_flag=True, help="Log the words of errors too, which may quote what was asked.")
def serve(path: str | None, *, demo: bool, host: str | None, port: int | None, verbose: bool) -> None:
    """Serve pipelines to clients of Text Generation Inference, OpenAI and the AI SDK.

    \b
    streamkit serve --demo
    streamkit serve --config streamkit.toml
    """  # noqa: D301 - click's mark for lines not to be joined is a backspace
    if demo == (path is not None):
        raise click.UsageError("What to serve? Give --config FILE, or --demo.")
    with reported(), contextlib.ExitStack() as stack:
        from streamkit.errors import ConfigurationError
        from streamkit.web.gateway import Gateway, read_configuration

        try:
            from streamkit.web.gateway.server import Server, log_to_stderr
        except ImportError as error:
            raise ConfigurationError(MISSING) from error
        overrides = {name: value for name, value in (("host", host), ("port", port)) if value is not None}
        configuration = (
            stack.enter_context(_demonstration(overrides)) if path is None else read_configuration(path, **overrides)
        )
        log_to_stderr(logging.DEBUG if verbose else logging.INFO)
        _collect_seldom()
        Server(Gateway(configuration), configuration.settings, lambda url: _greet(url, configuration)).run()


def _collect_seldom() -> None:
    """Keep the garbage collector from walking through all streams every few seconds, which is a gap in each of them.

    It counts what outlives a look at it. With a thousand streams that is what they are just doing, a few thousand
    objects that will be gone with their next token; what is really left behind in cycles is still found.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


def _greet(url: str, configuration: Configuration) -> None:
    click.secho(
        f"streamkit serves {', '.join(configuration.pipelines)} on {url} (Ctrl-C stops it)", err=True, bold=True
    )


@contextlib.contextmanager
def _demonstration(overrides: dict[str, Any]) -> Iterator[Configuration]:
    """Run two emulated models, one that makes up a travel guide and one that shows every difficulty."""
    from streamkit.cli.demo_script import STOP
    from streamkit.sources import Endpoint
    from streamkit.testing import EmulatedEndpoint
    from streamkit.transforms import RepairText, ScrubEos, SkipSpecialTokens, StopSequences, recommended_transforms
    from streamkit.web.gateway import Configuration, Settings

    settings = Settings(**{"resumable": True, **overrides})
    click.secho(
        "These are emulated models on your own machine, not real ones. HTTP, wire formats and transforms are real.",
        err=True,
    )
    chain = (RepairText(byte_pieces=True), ScrubEos(), SkipSpecialTokens(), StopSequences(STOP))
    with EmulatedEndpoint(pace=PACE) as travel, EmulatedEndpoint(_script, pace=PACE) as script:
        pipelines = {
            "travel": Endpoint(travel.url, api="tgi", token=False) | recommended_transforms(),
            "script": Endpoint(script.url, api="tgi", token=False) | chain,
        }
        yield Configuration(settings, pipelines)


def _script(_request: SeenRequest) -> list[ScriptedToken]:
    """Return the first answer of `streamkit demo`, whatever was asked."""
    from streamkit.cli.demo_script import SCRIPT
    from streamkit.testing import ScriptedToken

    lines = next(iter(SCRIPT.values()))
    return [
        ScriptedToken(line, id=number) if isinstance(line, str) else ScriptedToken(line.text, line.special, number)
        for number, line in enumerate(lines, 100)
    ]
