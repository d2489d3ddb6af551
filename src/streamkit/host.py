"""The plugin host: a pluggy manager with registries of named parts, and the checks that pluggy lacks.

pluggy is the registry, the validator and the argument matcher; streamkit makes the calls (see `hookplan`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, Final, Literal, TypeAlias

import attrs
import pluggy

from streamkit import hookspecs
from streamkit._builtin import Builtin
from streamkit.errors import PluginError, PluginLoadError
from streamkit.hookchecks import KNOWN, PREFIXES, check_hook, check_plugin, is_function, several
from streamkit.hookplan import HookPlan
from streamkit.loading import Origin, failed, find, left_out, load, report

Kind: TypeAlias = Literal["sources", "transforms", "formats", "sinks", "stores"]
KINDS: Final[tuple[Kind, ...]] = ("sources", "transforms", "formats", "sinks", "stores")


@attrs.frozen(kw_only=True)
class Registered:
    """A named part.

    Args:
        name: The name it is used by.
        factory: Makes the part from its options; of a format, the format itself.
        plugin: The plugin that registered it.
    """

    name: str
    factory: Any
    plugin: str


@attrs.frozen(kw_only=True)
class Listed:
    """A plugin as `streamkit plugins` shows it.

    Args:
        name: Its name.
        origin: The entry point it came from; `None` for one that was passed in, or is built in.
        hooks: The hooks it implements.
        names: The names it registers, by kind.
        error: Why it could not be loaded, if it could not.
        left_out: Why it was not to be loaded, if the environment says so.
    """

    name: str
    origin: Origin | None
    hooks: tuple[str, ...] = ()
    names: Mapping[str, tuple[str, ...]] = attrs.field(factory=dict)
    error: str | None = None
    left_out: str | None = None


class _Manager(pluggy.PluginManager):
    """A manager that takes methods named like hooks without asking for a decorator."""

    def parse_hookimpl_opts(self, plugin: Any, name: str) -> Any:
        options = super().parse_hookimpl_opts(plugin, name)
        if options is None and name.startswith(PREFIXES) and is_function(getattr(plugin, name, None)):
            return {}
        return options


class _Functions:
    """Functions by hook name, as an object that pluggy can hold."""

    def __init__(self, functions: Mapping[str, Any]) -> None:
        vars(self).update(functions)


class Host:
    """A set of plugins.

    Args:
        plugins: Objects with methods named like hooks, or mappings of hook names to functions, in call order; a single
            mapping needs no list around it.
        entry_points: Whether to load the installed plugins; one that cannot be loaded is warned of and left out.
        builtin: Whether the parts that come with streamkit are registered.

    Raises:
        PluginError: A plugin in `plugins` would not work.
    """

    def __init__(
        self, plugins: Mapping[str, Any] | Iterable[Any] = (), *, entry_points: bool = False, builtin: bool = True
    ) -> None:
        self._manager = _Manager(hookspecs.NAME)
        self._manager.add_hookspecs(hookspecs)
        self._origins: dict[str, Origin] = {}
        self._missing: list[Listed] = []
        self._registries: dict[Kind, Mapping[str, Registered]] = {}
        if builtin:
            self.register(Builtin(), "builtin")
        if entry_points:
            self._load()
        # pluggy calls the last one registered first; a list of callbacks is called as it reads.
        for plugin in reversed(several(plugins)):
            self.register(plugin)

    @staticmethod
    @cache
    def default() -> Host:
        """Return the process's host of built-in and installed plugins, loaded at the first call."""
        return Host(entry_points=True)

    def register(self, plugin: Any, name: str | None = None) -> None:
        """Check a plugin and add it.

        Args:
            plugin: An object, or a mapping of hook names to functions.
            name: The name used in messages; by default the plugin's class.

        Raises:
            PluginError: The plugin would not work; the message names the plugin, the hook and the remedy.
        """
        if isinstance(plugin, Mapping):
            plugin = _Functions(plugin)
            name = name or f"callbacks-{id(plugin):x}"
        kind = plugin if isinstance(plugin, type) else type(plugin)
        name = name or f"{kind.__module__}.{kind.__qualname__}-{id(plugin):x}"
        every = isinstance(plugin, _Functions)  # a mapping has no names but those of hooks
        check_plugin(
            plugin, vars(plugin) if every else [each for each in dir(plugin) if each.startswith(PREFIXES)], name
        )
        if self._manager.has_plugin(name) or self._manager.is_registered(plugin):
            raise PluginError(f"plugin {name!r} is registered already, or an equal one is")
        try:
            self._manager.register(plugin, name)
            self._manager.check_pending()
            self._check_hooks(plugin, name)
        except (pluggy.PluginValidationError, PluginError) as error:
            self._forget(name)  # whole or not at all
            if isinstance(error, PluginError):
                raise
            raise PluginError(f"plugin {name!r}: {' '.join(str(error).split())}") from error
        self._registries.clear()

    def registry(self, kind: Kind) -> Mapping[str, Registered]:
        """Return the named parts of a kind; the plugins are asked once.

        Args:
            kind: `sources`, `transforms`, `formats`, `sinks` or `stores`.

        Raises:
            PluginError: Two plugins register one name, or one returned something that is not a mapping of names.
        """
        if kind not in self._registries:
            found: dict[str, Registered] = {}
            for impl in getattr(self._manager.hook, f"register_{kind}").get_hookimpls():
                for name, factory in _named(impl, kind).items():
                    if name in found:
                        raise PluginError(
                            f"plugins {found[name].plugin!r} and {impl.plugin_name!r} both register {name!r} among the "
                            f"{kind}: block one of them, or ask its author to rename the part"
                        )
                    found[name] = Registered(name=name, factory=factory, plugin=impl.plugin_name)
            self._registries[kind] = found
        return self._registries[kind]

    def plan(self) -> HookPlan:
        """Compile the lifecycle hooks of the plugins registered now."""
        return HookPlan.compile(self._manager)

    def plugins(self) -> tuple[Listed, ...]:
        """Return every plugin, those that are not loaded last."""
        loaded = [
            Listed(
                name=name,
                origin=self._origins.get(name),
                hooks=tuple(hook for hook in KNOWN if callable(getattr(plugin, hook, None))),
                names={
                    kind: names
                    for kind in KINDS
                    if (names := tuple(sorted(n for n, part in self.registry(kind).items() if part.plugin == name)))
                },
            )
            for name, plugin in self._manager.list_name_plugin()
        ]
        return (*loaded, *self._missing)

    def _load(self) -> None:
        for origin, entry_point in find():
            reason = left_out(origin.name)
            if reason is not None:
                self._missing.append(Listed(name=origin.name, origin=origin, left_out=reason))
                continue
            if self._manager.has_plugin(origin.name):
                self._broken(origin, failed(origin, self._taken(origin.name)))
                continue
            try:
                self.register(load(origin, entry_point), origin.name)
                for kind in KINDS:
                    self.registry(kind)  # a clash is this plugin's, which came later
            except PluginLoadError as error:
                self._broken(origin, error)
            except PluginError as error:
                self._forget(origin.name)
                self._broken(origin, failed(origin, error))
            else:
                self._origins[origin.name] = origin

    def _taken(self, name: str) -> PluginError:
        other = self._origins.get(name)
        owner = f"{other.distribution} {other.version}" if other else "streamkit"
        return PluginError(f"the entry point {name!r} of {owner} has that name already: uninstall one of the two")

    def _broken(self, origin: Origin, error: PluginLoadError) -> None:
        self._missing.append(Listed(name=origin.name, origin=origin, error=str(error)))
        report(error)

    def _forget(self, name: str) -> None:
        if self._manager.has_plugin(name):
            self._manager.unregister(name=name)
        self._registries.clear()

    def _check_hooks(self, plugin: Any, name: str) -> None:
        callers = self._manager.get_hookcallers(plugin)
        if not callers:
            raise PluginError(f"plugin {name!r} has no hook; the hooks are {', '.join(KNOWN)}")
        for caller in callers:
            for hook in caller.get_hookimpls():
                if hook.plugin is plugin and caller.spec is not None:
                    check_hook(hook, caller.name, caller.spec.argnames, name)


def _named(impl: pluggy.HookImpl, kind: Kind) -> Mapping[str, Any]:
    try:
        names = impl.function()
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise PluginError(
            f"plugin {impl.plugin_name!r}: register_{kind} raised {type(error).__name__}: {error}"
        ) from error
    if not isinstance(names, Mapping) or not all(isinstance(name, str) and name for name in names):
        raise PluginError(f"plugin {impl.plugin_name!r}: register_{kind} must return a mapping of names to parts")
    return names
