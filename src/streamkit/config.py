r"""Pipelines by name: from a mapping or a TOML file to parts, with every mistake named by its place.

[source]
use = "endpoint"
url = "https://my-endpoint.example"
token = { env = "MY_TOKEN" }

[[transforms]]
use = "stop_sequences"
stops = ["\nUser:"]

[parameters]
max_new_tokens = 512

A source that is made of others has them as tables too: `[source.source]` for `retry`, `[[source.sources]]` for
`fallback`. A value that the environment has is written `{ env = "NAME" }`, wherever it stands.
"""

from __future__ import annotations

import difflib
import inspect
import json
import tomllib
import typing
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import attrs
import msgspec

from streamkit.environment import Reference, filled, referred
from streamkit.errors import ConfigurationError
from streamkit.host import Host, Kind
from streamkit.protocols import AsyncSource, Format, Source
from streamkit.stores import StreamStore


@attrs.frozen(kw_only=True)
class Parts:
    """What a configuration describes: the arguments of a `Pipeline`."""

    source: Any
    transforms: tuple[Any, ...]
    sinks: tuple[Any, ...]
    parameters: Mapping[str, Any]


def read(path: str | Path) -> dict[str, Any]:
    """Read a TOML file.

    Raises:
        ConfigurationError: It cannot be read or is not TOML; the message has the line.
    """
    try:
        return tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} is not TOML: {error}") from error


def assemble(config: Mapping[str, Any], host: Host, where: str) -> Parts:
    """Build the parts that a configuration names.

    Args:
        config: `source` (a table), `transforms` and `sinks` (arrays of tables or names), `parameters` (a table).
        host: Where the names are registered.
        where: The file's name, for messages.

    Raises:
        ConfigurationError: A key, a name or an option is unknown, missing or of the wrong type.
    """
    known = ("source", "transforms", "sinks", "parameters")
    for key in config:
        if key not in known:
            raise ConfigurationError(f"{where}: unknown key {key!r}{_near(key, known)}")
    if "source" not in config:
        raise ConfigurationError(f"{where}: there is no [source]: say where the tokens come from")
    parameters = config.get("parameters", {})
    if not isinstance(parameters, Mapping):
        raise ConfigurationError(f"{where}: parameters is not a table")
    return Parts(
        source=part("sources", config["source"], host, f"{where}: source"),
        transforms=_parts("transforms", config.get("transforms", ()), host, f"{where}: transforms"),
        sinks=_parts("sinks", config.get("sinks", ()), host, f"{where}: sinks"),
        parameters={key: filled(key, parameters[key], f"{where}: parameters: {key}", _plain) for key in parameters},
    )


def part(kind: Kind, described: Any, host: Host, where: str) -> Any:
    """Build one part.

    Args:
        kind: `sources`, `transforms`, `sinks` or `stores`.
        described: A registered name, or a table with the name under `use` and the options beside it; an option that
            is a source or a store is described in the same way.
        host: Where the name is registered.
        where: The place, for messages.

    Raises:
        ConfigurationError: The name or an option is wrong, or the part refuses its options.
    """
    options = {"use": described} if isinstance(described, str) else described
    if not isinstance(options, Mapping) or not isinstance(options.get("use"), str):
        raise ConfigurationError(f"{where}: write a name, or a table with the name under 'use'")
    name = options["use"]
    registered = host.registry(kind)
    if name not in registered:
        hint = _near(name, registered) or f": there are {', '.join(sorted(registered))}"
        raise ConfigurationError(f"{where}: no plugin registers {name!r} among the {kind}{hint}")
    given = {key: options[key] for key in options if key != "use"}
    return make(registered[name].factory, given, host, f"{where} ({name})")


def make(factory: Any, options: Mapping[str, Any], host: Host, where: str) -> Any:
    """Call a factory with the options of a table.

    Args:
        factory: A class or a function, whose signature says which options there are and of which types.
        options: The table.
        host: Where the formats are registered that options may name.
        where: The place, for messages.

    Raises:
        ConfigurationError: An option is unknown, missing or of the wrong type, or the factory refuses it.
    """
    positional, keywords = _arguments(factory, options, host, where)
    return _made(factory, positional, keywords, where)


def _parts(kind: Kind, described: Any, host: Host, where: str) -> tuple[Any, ...]:
    if isinstance(described, str | Mapping) or not isinstance(described, Iterable):
        raise ConfigurationError(f"{where} is not an array: write double brackets around its name, one table for each")
    return tuple(part(kind, each, host, f"{where}[{place}]") for place, each in enumerate(described))


def _made(factory: Any, positional: tuple[Any, ...], keywords: Mapping[str, Any], where: str) -> Any:
    try:
        return factory(*positional, **keywords)
    except (ConfigurationError, TypeError, ValueError) as error:
        raise ConfigurationError(f"{where}: {error}") from error


def _arguments(
    factory: Any, options: Mapping[str, Any], host: Host, where: str
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    parameters, hints = _described(factory, where)
    free = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values())
    positional: tuple[Any, ...] = ()
    keywords: dict[str, Any] = {}
    for key, given in options.items():
        if key not in parameters and not free:
            raise ConfigurationError(f"{where}: unknown option {key!r}{_near(key, parameters)}")
        variadic = key in parameters and parameters[key].kind is inspect.Parameter.VAR_POSITIONAL
        hint = hints.get(key, Any)
        if variadic and _kind_of(hint) == "sources":
            positional = _parts("sources", given, host, f"{where}: {key}")
            continue
        value = _value(key, given, hint, host, f"{where}: {key}")
        if variadic:
            positional = tuple(value) if isinstance(value, list) else (value,)
        else:
            keywords[key] = value
    for key, parameter in parameters.items():
        named = parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
        if named and parameter.default is parameter.empty and key not in keywords:
            raise ConfigurationError(f"{where}: option {key!r} is missing")
    return positional, keywords


def _described(factory: Any, where: str) -> tuple[Mapping[str, inspect.Parameter], Mapping[str, Any]]:
    try:
        parameters = inspect.signature(factory).parameters
    except (TypeError, ValueError) as error:
        raise ConfigurationError(f"{where}: the plugin registers {factory!r}, whose options are unknown") from error
    try:
        return parameters, typing.get_type_hints(factory.__init__ if inspect.isclass(factory) else factory)
    except (NameError, TypeError):  # a type that is only imported for type checkers: the part itself must judge
        return parameters, {}


def _value(key: str, given: Any, hint: Any, host: Host, where: str) -> Any:
    kind = _kind_of(hint)
    if kind is not None and not (isinstance(given, bool) and bool in typing.get_args(hint)):
        return part(kind, given, host, where)
    if _takes_references(hint):
        return given
    recipe = next((each for each in (hint, *typing.get_args(hint)) if attrs.has(each)), None)
    if isinstance(given, Mapping) and referred(given) is None and recipe is not None:
        return make(recipe, given, host, where)
    value = filled(key, given, where)
    if isinstance(value, str) and Format in (hint, *typing.get_args(hint)):
        formats = host.registry("formats")
        if value not in formats:
            raise ConfigurationError(f"{where}: no plugin registers the format {value!r}{_near(value, formats)}")
        return formats[value].factory
    return _converted(given, value, hint, where)


def _converted(given: Any, value: Any, hint: Any, where: str) -> Any:
    """Return a value as the type of its option; what came from the environment is text, and is read as that type."""
    try:
        return msgspec.convert(value, hint, strict=value is given)
    except msgspec.ValidationError as error:
        if value is given:
            raise ConfigurationError(f"{where}: {_unknown_choice(value, hint) or error}") from error
        source = f"the environment variable {referred(given)!r}" if referred(given) else "what the environment says"
        wanted = inspect.formatannotation(hint)
        # Neither the message nor a chained error shows the text: it may be a secret that was put in the wrong place.
        raise ConfigurationError(f"{where}: {source} cannot be read as {wanted}") from None
    except TypeError:
        return value  # a type that only the part itself can judge


def _unknown_choice(value: Any, hint: Any) -> str | None:
    """Say what an option may be that is one of several words, given another one."""
    sets = [hint] if typing.get_origin(hint) is typing.Literal else typing.get_args(hint)
    if not isinstance(value, str) or not all(typing.get_origin(each) is typing.Literal for each in sets):
        return None
    choices = [choice for each in sets for choice in typing.get_args(each)]
    return f"{value!r} is not one of {', '.join(map(repr, choices))}" if choices else None


def _plain(text: str) -> Any:
    """Read a parameter of a run, whose type only its source knows, as `--param` does: as JSON, or else as text."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _takes_references(hint: Any) -> bool:
    """Tell whether an option looks its variables up itself."""
    return hint is Reference or any(map(_takes_references, typing.get_args(hint)))


def _kind_of(hint: Any) -> Kind | None:
    """Return what an option of this type takes, where that is a part."""
    types = (hint, *typing.get_args(hint))
    if StreamStore in types:
        return "stores"
    return "sources" if Source in types or AsyncSource in types else None


def _near(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(known), 1)
    return f"; did you mean {near[0]!r}?" if near else ""
