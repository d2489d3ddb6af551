"""Finding installed plugins: entry points of the group `streamkit`, loaded one by one.

`STREAMKIT_PLUGINS` is the allow list (names separated by commas; empty for none) and `STREAMKIT_DISABLED_PLUGINS` the
block list, which wins. A plugin that is not allowed is found and not imported. One that cannot be loaded is reported
and left out; the others work on.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import attrs

from streamkit.errors import PluginLoadError
from streamkit.hookspecs import NAME

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

ALLOWED = "STREAMKIT_PLUGINS"
BLOCKED = "STREAMKIT_DISABLED_PLUGINS"


@attrs.frozen(kw_only=True)
class Origin:
    """Where a plugin comes from.

    Args:
        name: The entry point's name.
        module: The object it names, `package.module:attribute`.
        distribution: The distribution that installed it.
        version: That distribution's version.
    """

    name: str
    module: str
    distribution: str
    version: str


def find() -> Iterator[tuple[Origin, EntryPoint]]:
    """Yield the installed plugins, by name, without importing any."""
    from importlib.metadata import entry_points

    for entry_point in sorted(entry_points(group=NAME), key=lambda point: point.name):
        distribution = entry_point.dist
        yield (
            Origin(
                name=entry_point.name,
                module=entry_point.value,
                distribution=distribution.name if distribution else "?",
                version=distribution.version if distribution else "?",
            ),
            entry_point,
        )


def left_out(name: str) -> str | None:
    """Return why the environment wants a plugin not to be loaded; `None` if it may be.

    Args:
        name: The entry point's name.
    """
    if name in (_names(BLOCKED) or ()):
        return f"left out by {BLOCKED}, which names it"
    allowed = _names(ALLOWED)
    if allowed is not None and name not in allowed:
        return f"left out by {ALLOWED}, which does not name it"
    return None


def load(origin: Origin, entry_point: EntryPoint) -> Any:
    """Import a plugin; a class is instantiated.

    Raises:
        PluginLoadError: Its import failed, in whatever way.
    """
    try:
        plugin = entry_point.load()
        return plugin() if isinstance(plugin, type) else plugin
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a module may exit, and Rust panics with what is no Exception
        raise failed(origin, error) from error


def failed(origin: Origin, error: BaseException) -> PluginLoadError:
    """Return the error of a plugin that could not be loaded."""
    return PluginLoadError(
        f"plugin {origin.name!r} of {origin.distribution} {origin.version} could not be loaded from {origin.module}: "
        f"{type(error).__name__}: {error} (set {BLOCKED}={origin.name} to do without it)",
        distribution=origin.distribution,
        entry_point=origin.name,
    )


def report(error: PluginLoadError) -> None:
    """Warn of a plugin that is left out."""
    warnings.warn(str(error), RuntimeWarning, stacklevel=3)


def _names(variable: str) -> frozenset[str] | None:
    value = os.environ.get(variable)
    return None if value is None else frozenset(name.strip() for name in value.split(",") if name.strip())
