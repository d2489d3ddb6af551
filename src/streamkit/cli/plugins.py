"""`streamkit plugins`: what is installed, what it registers and observes, and what could not be loaded."""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import rich_click as click

from streamkit.cli.failures import reported

if TYPE_CHECKING:
    from streamkit.host import Listed


@click.command
@click.option("--json", "as_json", is_flag=True, help="Write a JSON array of objects.")
def plugins(*, as_json: bool) -> None:
    """List the plugins that streamkit finds.

    STREAMKIT_PLUGINS and STREAMKIT_DISABLED_PLUGINS, names separated by commas, choose those to load; one that is not
    chosen is listed, but not imported. With STREAMKIT_TRACE_HOOKS=1, every hook call of a run is shown.
    """
    with reported():
        from streamkit.host import Host

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # of plugins that could not be loaded: they are listed
            listed = Host.default().plugins()
        if as_json:
            click.echo(json.dumps([describe(plugin) for plugin in listed], indent=2))
        else:
            _print(listed)


def describe(plugin: Listed) -> dict[str, Any]:
    """Return what there is to know of a plugin, as JSON has it.

    Args:
        plugin: The plugin.
    """
    from importlib.metadata import version

    origin = plugin.origin
    module = origin.module if origin else "streamkit._builtin:Builtin"
    return {
        "name": plugin.name,
        "version": origin.version if origin else version("streamkit-hf"),
        "distribution": origin.distribution if origin else "streamkit-hf",
        "module": module,
        "path": getattr(sys.modules.get(module.partition(":")[0]), "__file__", None),
        "hooks": list(plugin.hooks),
        "names": {kind: list(names) for kind, names in plugin.names.items()},
        "error": plugin.error,
        "left_out": plugin.left_out,
    }


def _print(listed: Sequence[Listed]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from streamkit.sinks.terminal import neutralise

    console = Console(highlight=False)
    for plugin in listed:
        known = describe(plugin)
        origin = f"  {known['distribution']} {known['version']}  {known['module']}"
        console.print(Text(neutralise(plugin.name), style="bold") + Text(neutralise(origin), style="not bold"))
        does = {kind: ", ".join(names) for kind, names in known["names"].items()}
        does["observes"] = ", ".join(hook for hook in known["hooks"] if hook.startswith("on_"))
        rows = Table.grid(padding=(0, 2, 0, 0))
        for what, names in does.items():
            if names:
                rows.add_row(f"  {what}", Text(neutralise(names), overflow="fold"))
        if rows.row_count:
            console.print(rows)
        if plugin.error is not None:
            console.print(Text(f"  {neutralise(plugin.error)}", style="red"), soft_wrap=True)
        if plugin.left_out is not None:
            console.print(Text(f"  {neutralise(plugin.left_out)}", style="dim"), soft_wrap=True)
