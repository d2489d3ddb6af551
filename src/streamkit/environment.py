"""What a configuration takes from the environment, and the secrets that it must take from there."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from typing import Any, Final, TypedDict

from streamkit.errors import ConfigurationError


class Reference(TypedDict):
    """What is written in the place of a value that the environment has: `{ env = "NAME" }`."""

    env: str


_SECRET_NAME: Final = re.compile(
    r"token|([a-z0-9-]+-)?(authorization|api-?key|access-key|secret|secret-key|cookie|password"
    r"|(access|api|auth|bearer|hf|session)-token)|x-([a-z0-9-]+-)?(token|key)"
)
"""An option or header, in lower case and with hyphens, that is a secret; `eos_token` and `max_new_tokens` are none."""

_SECRET_VALUE: Final = re.compile(
    r"[a-z][a-z0-9+.-]*://[^/?#@]*:[^/?#@]+@.*"  # a URL with a password in it
    r"|bearer\s+\S{8,}|(?-i:hf_[A-Za-z0-9]{16,}|sk-[A-Za-z0-9_-]{20,})",
    re.IGNORECASE | re.DOTALL,
)


def referred(given: Any) -> str | None:
    """Return the variable that a value refers to; `None` if it is a value of its own."""
    if isinstance(given, Mapping) and set(given) == {"env"} and isinstance(given["env"], str):
        return given["env"]
    return None


def filled(name: str, given: Any, where: str, read: Callable[[str], Any] = str) -> Any:
    """Put the environment's values in the places that refer to it.

    Args:
        name: What the value is called: an option, or a key of a table.
        given: The value; tables and arrays are searched to the bottom.
        where: Its place, for messages.
        read: Makes a value of a variable's text.

    Returns:
        The value; the same object, if it refers to nothing.

    Raises:
        ConfigurationError: A variable is not set, or a secret stands in its own place.
    """
    variable = referred(given)
    if variable is not None:
        if variable not in os.environ:
            raise ConfigurationError(f"{where}: the environment variable {variable!r} is not set")
        return read(os.environ[variable])
    if isinstance(given, str) and _secret(name, given):
        raise ConfigurationError(f'{where}: a secret does not belong in a file: write {name} = {{ env = "NAME" }}')
    if isinstance(given, Mapping):
        table = {key: filled(str(key), value, f"{where}: {key}", read) for key, value in given.items()}
        return given if all(table[key] is given[key] for key in given) else table
    if isinstance(given, list):
        array = [filled(name, value, f"{where}[{place}]", read) for place, value in enumerate(given)]
        return given if all(new is old for new, old in zip(array, given, strict=True)) else array
    return given


def _secret(name: str, value: str) -> bool:
    name = name.lower().replace("_", "-")
    return _SECRET_NAME.fullmatch(name) is not None or _SECRET_VALUE.fullmatch(value) is not None
