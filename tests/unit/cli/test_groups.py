"""Options in groups."""

import attrs
import click
from click.testing import CliRunner

from streamkit.cli.groups import group


@attrs.frozen
class Pair:
    """Two options."""

    left: str
    right: int


pairs = group(Pair, "pair", click.argument("left"), click.option("--right", type=int, default=5, help="A number."))


@click.command
@pairs
@click.option("--more", help="One more.")
def command(*, pair, more):
    """Show what came."""
    click.echo(f"{pair} {more}")


def test_a_command_takes_a_group_as_one_object():
    """Its own options come beside it."""
    result = CliRunner().invoke(command, ["a", "--right", "7", "--more", "b"])
    assert result.stdout == "Pair(left='a', right=7) b\n"


def test_the_help_has_the_options_in_their_order():
    """Those of the group before those of the command."""
    shown = CliRunner().invoke(command, ["--help"]).stdout
    assert shown.index("LEFT") < shown.index("--right") < shown.index("--more")
    assert "Show what came." in shown
