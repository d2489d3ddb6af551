"""What a source gives its driver: where it does not have the shape of its place, the source is named."""

from __future__ import annotations

from typing import Any, Final, TypeVar

from streamkit.errors import PluginError

T = TypeVar("T")

_PLACES: Final = {
    "__enter__": "open() must return a context manager: decorate it with @contextlib.contextmanager",
    "__aenter__": "aopen() must return an async context manager: decorate it with @contextlib.asynccontextmanager",
    "__iter__": "open() must give an iterator of batches",
    "__aiter__": "aopen() must give an async iterator of batches",
    "__len__": "batches must be tuples or lists of events",
}


def fit(source: object, given: T, method: str) -> T:
    """Return what a source gave.

    Args:
        source: The source.
        given: What it gave.
        method: What it must have in its place.

    Raises:
        PluginError: It does not.
    """
    if not hasattr(type(given), method):
        raise misfit(source, given, method)
    return given


def misfit(source: object, given: Any, method: str) -> PluginError:
    """Return the error for something that does not have the method of its place."""
    return PluginError(f"source {source!r} gave {type(given).__name__}, and its {_PLACES[method]}")
