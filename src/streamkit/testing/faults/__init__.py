"""Everything that happens to streams, as values: `EmulatedEndpoint(script, faults=[cut_after(5)])`.

    with EmulatedEndpoint(["Hello", " world"], faults=[times(s503(), 2), cut_after(1, "rst")]) as server:
        ...  # the first two requests are refused, the next ones are cut after one token

A fault happens to the answers to `POST`; of several, each one is applied to what those before it have left. Faults
inside a stream happen to streamed answers only. `FAULTS` has them by name. A fault of your own is a subclass of
`Fault`.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Mapping
from typing import Any, Final

from streamkit.errors import ConfigurationError
from streamkit.testing.emulator.fault import Fault
from streamkit.testing.faults._shapes import Times
from streamkit.testing.faults.endings import (
    cut_after,
    cut_clean_nofinish,
    cut_eof_body,
    cut_fin,
    cut_half_event,
    cut_rst,
    error_event,
    error_event_str,
    error_named,
    no_done,
)
from streamkit.testing.faults.framing import (
    bad_json,
    bad_utf8,
    bigline,
    bom,
    comments,
    cr,
    crlf,
    multiline,
    nospace,
    nul,
    split_utf8,
    u2028,
)
from streamkit.testing.faults.refusals import (
    bigerr,
    empty200,
    html200,
    redir_302,
    redir_host,
    redir_loop,
    redir_port,
    s401,
    s403,
    s404,
    s408,
    s422,
    s429,
    s429date,
    s500,
    s502,
    s503,
    s504,
)
from streamkit.testing.faults.waiting import drip, endless, pings, silent, slow_headers, stall

__all__ = [
    "FAULTS",
    "Fault",
    "bad_json",
    "bad_utf8",
    "bigerr",
    "bigline",
    "bom",
    "comments",
    "cr",
    "crlf",
    "cut_after",
    "cut_clean_nofinish",
    "cut_eof_body",
    "cut_fin",
    "cut_half_event",
    "cut_rst",
    "drip",
    "empty200",
    "endless",
    "error_event",
    "error_event_str",
    "error_named",
    "html200",
    "multiline",
    "no_done",
    "nospace",
    "nul",
    "pings",
    "read_fault",
    "redir_302",
    "redir_host",
    "redir_loop",
    "redir_port",
    "s401",
    "s403",
    "s404",
    "s408",
    "s422",
    "s429",
    "s429date",
    "s500",
    "s502",
    "s503",
    "s504",
    "silent",
    "slow_headers",
    "split_utf8",
    "stall",
    "times",
    "u2028",
]

FAULTS: Final[Mapping[str, Callable[..., Fault]]] = {
    make.__name__: make
    for make in (
        *(cut_after, cut_clean_nofinish, cut_eof_body, cut_fin, cut_half_event, cut_rst, no_done),
        *(error_event, error_event_str, error_named),
        *(bad_json, bad_utf8, bigline, bom, comments, cr, crlf, multiline, nospace, nul, split_utf8, u2028),
        *(s401, s403, s404, s408, s422, s429, s429date, s500, s502, s503, s504),
        *(bigerr, empty200, html200, redir_302, redir_host, redir_loop, redir_port),
        *(drip, endless, pings, silent, slow_headers, stall),
    )
}
"""The faults by name."""


def times(fault: Fault, requests: int) -> Fault:
    """Return a fault that happens to the first requests of an endpoint only.

    Args:
        fault: The fault.
        requests: How many.
    """
    return Times(fault, requests)


def read_fault(text: str) -> Fault:
    """Return the fault that a text describes: `name`, `name:argument,argument`, and `*2` for the first two requests.

    Args:
        text: Such as `cut_after:5,rst` or `s503*2`.

    Raises:
        ConfigurationError: There is no such fault, or its arguments do not fit.
    """
    what, star, count = text.rpartition("*") if "*" in text else (text, "", "")
    name, _, listed = what.partition(":")
    make = FAULTS.get(name)
    if make is None:
        raise ConfigurationError(f"there is no fault {name!r}: it is one of {', '.join(FAULTS)}")
    arguments = [_value(each) for each in listed.split(",")] if listed else []
    try:
        inspect.signature(make).bind(*arguments)
        fault = make(*arguments)
        return times(fault, int(count)) if star else fault
    except (TypeError, ValueError) as error:
        raise ConfigurationError(
            f"the fault {text!r} cannot be: {error}; it is {name}{inspect.signature(make)}"
        ) from None


def _value(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (SyntaxError, ValueError):
        return text
