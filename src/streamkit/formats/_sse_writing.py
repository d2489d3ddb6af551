"""Server-sent events, written (WHATWG HTML, 9.2.5): the other half of `_sse.py`."""

from __future__ import annotations

import re
from typing import Final

from streamkit.formats._encoding import whole_characters

KEEP_ALIVE: Final = b":\n\n"
"""A comment: it says nothing, and keeps proxies from closing a connection that is silent. TGI sends the same."""

DONE: Final = b"data: [DONE]\n\n"

_LINE_END = re.compile("\r\n|\r|\n")  # and nothing else: `str.splitlines` would split at U+2028, too
_FORBIDDEN = re.compile("[\r\n\0]")


def event(data: str, *, name: str | None = None, id: str | None = None) -> bytes:  # noqa: A002 - the field's name
    """Return one event.

    Args:
        data: Any text; each of its lines becomes a `data` line.
        name: The event's name, where it has one.
        id: What `Last-Event-ID` is to say after it.

    Raises:
        ValueError: A name or id has a line end or a NUL, with which it would become another field, or be ignored.
    """
    lines = [f"data: {line}" for line in _LINE_END.split(data)]
    for field, value in (("id", id), ("event", name)):
        if value is not None:
            if _FORBIDDEN.search(value):
                raise ValueError(f"the {field} of an event has no line ends and no NUL: {value!r}")
            lines.insert(0, f"{field}: {value}")
    return whole_characters("\n".join([*lines, "\n"])).encode()
