"""`streamkit new-plugin`: a distribution to begin a plugin with, complete and working."""

from __future__ import annotations

import ast
import builtins
import keyword
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import rich_click as click

from streamkit.cli.failures import reported

TEMPLATE: Final = "template"
"""The name of the plugin that is copied."""

OURS: Final = frozenset({"builtin", "hf", "otel", "redact", "redis", "transformers", TEMPLATE})
"""Names of our own plugins and distributions, and of the one that every host holds."""

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*").fullmatch
_CACHES: Final = frozenset({"__pycache__", ".hypothesis", ".mypy_cache", ".pytest_cache", ".ruff_cache", "dist"})


@click.command
@click.argument("name")
@click.option(
    "--into",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=Path(),
    metavar="DIR",
    help="Where to make its directory.  [default: here]",
)
def new_plugin(name: str, *, into: Path) -> None:
    """Make a plugin of your own: a distribution with a transform, a hook and their tests.

    NAME is what it is used by, such as shout: the distribution is then streamkit-shout, and the module streamkit_shout.
    """
    with reported():
        name = _checked(name)
        folder = into / f"streamkit-{name}"
        write_plugin(name, folder)
        path = folder if folder.is_absolute() else f"./{folder}"  # a name without a slash is looked up on an index
        click.echo(f"{folder} is a working plugin. Next:")
        click.echo(f"  pip install --editable '{path}[dev]'")
        click.echo(f"  pytest {folder}")


def write_plugin(name: str, folder: Path) -> None:
    """Copy the template, with another name in the place of its own.

    Args:
        name: The plugin's name, in lower case, with hyphens.
        folder: The directory to make.

    Raises:
        click.UsageError: The directory exists.
    """
    try:
        folder.mkdir()
    except FileExistsError as error:
        raise click.UsageError(f"{folder} exists already, and nothing in it was touched.") from error
    template = _template()
    for source in sorted(_files(template)):
        target = folder / _renamed(source.relative_to(template).as_posix(), name)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(_renamed(source.read_text(encoding="utf-8"), name), encoding="utf-8")


def _checked(name: str) -> str:
    from streamkit.host import Host

    name = name.removeprefix("streamkit-")
    if not _NAME(name):
        raise click.BadParameter(
            f"{name!r} is no name for a plugin: write small letters and digits, and hyphens between words.",
            param_hint="'NAME'",
        )
    if name in OURS or _part(name) in Host().registry("transforms"):
        raise click.BadParameter(f"{name!r} is a name of streamkit's own: choose another.", param_hint="'NAME'")
    if _camel(name) in _taken() or _camel(name).startswith("Test"):  # pytest takes such a class for tests
        raise click.BadParameter(
            f"the class of {name!r} would be called {_camel(name)}, which means something else already: begin with "
            f"what it does, such as filter-{name}.",
            param_hint="'NAME'",
        )
    return name


def _taken() -> frozenset[str]:
    """Return the names that a class of the plugin would hide: of Python, of streamkit, and of the template's code."""
    import streamkit

    nodes = [node for path in _files(_template()) if path.suffix == ".py" for node in ast.walk(_parsed(path))]
    used = {node.id for node in nodes if isinstance(node, ast.Name)}
    defined = {node.name for node in nodes if isinstance(node, ast.ClassDef | ast.alias)}
    return frozenset({*keyword.kwlist, *dir(builtins), *streamkit.__all__, *used, *defined})


def _parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _template() -> Path:
    """Return the directory of the template: in a wheel it is in the package, in a checkout beside the sources."""
    package = Path(__file__).parents[1]
    shipped = package / "_template"
    return shipped if shipped.is_dir() else package.parents[1] / "plugins" / "_template"


def _files(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.is_dir() and path.name not in _CACHES:
            yield from _files(path)
        elif path.is_file():
            yield path


def _renamed(text: str, name: str) -> str:
    """Return the text with the plugin's name in each place of the template's, in one go: a name may have it in it."""
    names = {f"streamkit-{TEMPLATE}": f"streamkit-{name}", TEMPLATE.capitalize(): _camel(name), TEMPLATE: _part(name)}
    return re.sub("|".join(names), lambda found: names[found[0]], text)


def _part(name: str) -> str:
    return name.replace("-", "_")


def _camel(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("-"))
