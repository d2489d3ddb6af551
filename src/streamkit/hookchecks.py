"""The checks that pluggy lacks: each refuses, at registration, a plugin that would fail or be silent in a run."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from streamkit import hookspecs
from streamkit.errors import PluginError

if TYPE_CHECKING:
    import pluggy

PREFIXES = ("on_", "register_")
KNOWN = hookspecs.REGISTRATION + hookspecs.LIFECYCLE


def is_function(hook: Any) -> bool:
    """Tell whether pluggy would take an attribute as an implementation."""
    return inspect.isfunction(hook) or inspect.ismethod(hook)


def several(plugins: Mapping[str, Any] | Iterable[Any]) -> tuple[Any, ...]:
    """Return plugins as they were passed, in a list; a mapping of hook names to functions may stand alone.

    Args:
        plugins: What was passed.

    Raises:
        PluginError: It is a single object.
    """
    if isinstance(plugins, Mapping):
        return (plugins,)
    if isinstance(plugins, str) or not isinstance(plugins, Iterable):
        raise PluginError(f"{plugins!r} is not a list of plugins or callbacks: put it into one, [...]")
    return tuple(plugins)


def check_plugin(plugin: Any, attributes: Iterable[str], name: str) -> None:
    """Refuse an object that pluggy would take and never call.

    Args:
        plugin: The object.
        attributes: Its attributes that are meant as hooks.
        name: Its name, for the message.

    Raises:
        PluginError: It would not work.
    """
    if inspect.isclass(plugin):
        raise PluginError(f"plugin {name!r} is a class: register an instance of it")
    if type(plugin).__hash__ is None:
        raise PluginError(f"plugin {name!r} is not hashable: give it eq=False (@attrs.define(eq=False))")
    for attribute in attributes:
        if attribute not in KNOWN:
            near = difflib.get_close_matches(attribute, KNOWN, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"the hooks are {', '.join(KNOWN)}"
            raise PluginError(f"plugin {name!r} has a method {attribute!r}, which is not a hook: {hint}")
        found = inspect.getattr_static(plugin, attribute)
        hook: Any = found if isinstance(found, property | cached_property) else getattr(plugin, attribute)
        if not is_function(hook):
            raise PluginError(
                f"plugin {name!r}: {attribute!r} is of type {type(hook).__name__!r}, which would be ignored: make it a "
                "function or a method (a lambda will do)"
            )
        takes = tuple(inspect.signature(getattr(hookspecs, attribute)).parameters)
        for parameter in inspect.signature(hook).parameters.values():
            named = parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)
            if named and parameter.default is parameter.empty and parameter.name not in takes:
                raise _never_given(parameter, attribute, takes, name)


def check_hook(hook: pluggy.HookImpl, attribute: str, takes: tuple[str, ...], name: str) -> None:
    """Refuse an implementation that pluggy would take and that cannot be called.

    Args:
        hook: The implementation as pluggy parsed it.
        attribute: The hook's name.
        takes: The hook's arguments.
        name: The plugin's name, for the message.

    Raises:
        PluginError: It would not work.
    """
    function = hook.function
    if attribute in (*hookspecs.REGISTRATION, "on_abort") and inspect.iscoroutinefunction(function):
        raise PluginError(f"plugin {name!r}: {attribute!r} must be a plain function, not a coroutine function")
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise PluginError(
            f"plugin {name!r}: {attribute!r} is a generator, whose body would never run: remove the 'yield' (hooks "
            "cannot be wrapped)"
        )
    for parameter in inspect.signature(function).parameters.values():
        passed = parameter.name in hook.argnames
        if not passed and (parameter.default is parameter.empty or parameter.name in takes):
            raise _never_given(parameter, attribute, takes, name)


def _never_given(parameter: inspect.Parameter, attribute: str, takes: tuple[str, ...], name: str) -> PluginError:
    return PluginError(
        f"plugin {name!r}: {attribute!r} would never be given {str(parameter)!r}: a hook gets the arguments that it "
        f"names out of ({', '.join(takes)}), by position: name them without '*' and without a default"
    )
