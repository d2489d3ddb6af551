"""Groups of options that several commands have in common; a command takes each of them as one object."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeAlias

import attrs

Command: TypeAlias = Callable[..., None]
Decorator: TypeAlias = Callable[[Command], Command]


def group(kind: type[Any], name: str, *options: Decorator) -> Decorator:
    """Return a decorator that adds options to a command.

    Args:
        kind: An attrs class with a field for each of the options.
        name: What the command calls its instance.
        options: click's own decorators, in the order of the help.
    """

    def decorate(command: Command) -> Command:
        @wraps(command)
        def gathered(*arguments: Any, **given: Any) -> None:
            values = {field.name: given.pop(field.name) for field in attrs.fields(kind)}
            command(*arguments, **given, **{name: kind(**values)})

        decorated: Command = gathered
        for option in reversed(options):
            decorated = option(decorated)
        return decorated

    return decorate
