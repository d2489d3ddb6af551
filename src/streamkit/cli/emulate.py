"""`streamkit emulate`: an emulated endpoint to try clients on by hand, with any fault."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, Literal, get_args

import rich_click as click

from streamkit.cli.failures import reported
from streamkit.cli.question import unescape

if TYPE_CHECKING:
    from streamkit.testing import EmulatedEndpoint, ScriptedToken

EngineName = Literal["tgi", "vllm", "openai", "ollama"]

EXAMPLES: Final[dict[EngineName, tuple[str, str]]] = {
    "tgi": ("/generate_stream", '{"inputs": "User: Where is Lisbon?\\nAssistant:"}'),
    "vllm": ("/v1/completions", '{"model": "emulated/tiny", "prompt": "Where is Lisbon?", "stream": true}'),
    "openai": (
        "/v1/chat/completions",
        '{"model": "emulated/tiny", "messages": [{"role": "user", "content": "Where is Lisbon?"}], "stream": true}',
    ),
    "ollama": ("/api/generate", '{"model": "emulated/tiny", "prompt": "Where is Lisbon?"}'),
}
"""A route of each engine, and a body for it."""


@click.command
@click.option("--engine", type=click.Choice(get_args(EngineName)), default="tgi", help="What to present itself as.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=0,
    metavar="NUMBER",
    help="Where to listen.  [default: a free port]",
)
@click.option(
    "--pace",
    type=click.FloatRange(0),
    default=0.05,
    metavar="SECONDS",
    help="Time between two tokens.  [default: 0.05]",
)
@click.option(
    "--fault",
    "faults",
    multiple=True,
    metavar="NAME",
    help="What goes wrong: cut_after:5,rst or, for two requests, s503*2. See --list-faults.",
)
@click.option("--script", type=unescape, metavar="TEXT", help="What the model says to everything.")
@click.option("--list-faults", is_flag=True, help="Show the faults there are, and exit.")
def emulate(
    *, engine: EngineName, port: int, pace: float, faults: Sequence[str], script: str | None, list_faults: bool
) -> None:
    """Serve an emulated endpoint on this machine, until Ctrl-C.

    It infers nothing: the answers are a script, or come from a toy model of a travel guide. HTTP and the engine's
    dialect are real, and so are the faults.

    \b
    streamkit emulate --engine vllm --fault cut_after:5
    streamkit emulate --fault s503*2 --fault stall:10
    """  # noqa: D301 - click's mark for lines not to be joined is a backspace
    with reported():
        from streamkit.errors import ConfigurationError
        from streamkit.testing import EmulatedEndpoint
        from streamkit.testing.faults import read_fault

        if list_faults:
            _list_faults()
            return
        server = EmulatedEndpoint(
            _tokens(script), engine=engine, pace=pace, port=port, faults=[read_fault(each) for each in faults]
        )
        try:
            server.start()
        except OSError as error:
            raise ConfigurationError(f"cannot listen on port {port}: {os.strerror(error.errno or 0)}") from error
        with server:
            _introduce(server, engine)
            _wait()


def _tokens(text: str | None) -> list[str | ScriptedToken] | None:
    from streamkit.testing import ScriptedToken
    from streamkit.testing.emulator.ngram import EOS, split_pieces

    return None if text is None else [*split_pieces(text), ScriptedToken(EOS, special=True)]


def _introduce(server: EmulatedEndpoint, engine: EngineName) -> None:
    path, body = EXAMPLES[engine]
    header = "" if engine == "ollama" else " -H 'Content-Type: application/json'"
    click.echo(f"emulated {engine}, not a real model: {server.url}   (Ctrl-C ends it)")
    click.echo(f"curl -N {server.url}{path}{header} -d {shlex.quote(body)}")


def _list_faults() -> None:
    import inspect

    from streamkit.testing import FAULTS

    for name, make in FAULTS.items():
        arguments = ",".join(_written(each.default) for each in inspect.signature(make).parameters.values())
        summary = (inspect.getdoc(make) or "").partition("\n")[0]
        click.echo(f"{name + (':' + arguments if arguments else ''):<48} {summary}")


def _written(default: object) -> str:
    """Return a default as it would be written for `--fault`."""
    return str(default) if str(default).isprintable() else ascii(default)


def _wait() -> None:
    from threading import Event

    Event().wait()
