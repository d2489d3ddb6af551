"""The command `streamkit`. A command imports what it needs when it runs, so that `--help` answers at once."""

from __future__ import annotations


def main() -> None:
    """Run the command line and exit."""
    from streamkit.cli.app import app

    app(prog_name="streamkit")
