"""How long to wait, in seconds."""

from __future__ import annotations

from typing import Any

import attrs

from streamkit.errors import ConfigurationError


def _positive(_: object, attribute: attrs.Attribute[float], value: Any) -> None:
    if not isinstance(value, int | float) or not 0 < value < float("inf"):
        raise ConfigurationError(f"{attribute.name} is {value!r}: give a number of seconds above 0")


@attrs.frozen(kw_only=True)
class Timeouts:
    """Limits of one answer, in seconds on a monotonic clock; none of them is infinite.

    Only tokens count as a sign of life: keep-alive comments and empty events reset nothing.

    Args:
        connect: To make the connection.
        first_token: From sending the request to the first token; a cold model loads in this time.
        between_tokens: From one token to the next.
        total: For the whole answer.
    """

    connect: float = attrs.field(default=10.0, validator=_positive)
    first_token: float = attrs.field(default=120.0, validator=_positive)
    between_tokens: float = attrs.field(default=60.0, validator=_positive)
    total: float = attrs.field(default=3600.0, validator=_positive)
