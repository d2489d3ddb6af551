"""Asking again, or elsewhere: only before the first token, so that no text ever comes twice."""

from __future__ import annotations

import time
from typing import Any, Final

import attrs

from streamkit.errors import ConfigurationError, FormatError, SourceError
from streamkit.events import Attempt
from streamkit.protocols import AsyncSource, Source
from streamkit.sources._again import Again, Tries

LOADING_POLL: Final = 1.0
"""Least seconds between two tries while a model is loading, also if its server says that it may be asked at once."""


def _at_least_one(_: object, attribute: attrs.Attribute[int], value: Any) -> None:
    if not isinstance(value, int) or value < 1:
        raise ConfigurationError(f"{attribute.name} is {value!r}: give a whole number from 1")


def _seconds(_: object, attribute: attrs.Attribute[float], value: Any) -> None:
    if not isinstance(value, int | float) or not 0 <= value < float("inf"):
        raise ConfigurationError(f"{attribute.name} is {value!r}: give a number of seconds")


@attrs.frozen
class Retry(Again):
    """A source that is asked again when it fails before its first token in a way that may pass.

    1. What is tried again: no connection (except for TLS), 408, 429, 502, 503, 504, an engine that says it is
       overloaded; in short, errors whose `transient` is true. After the first token nothing is.
    2. `Retry-After` is obeyed; otherwise the wait doubles each time, with jitter.
    3. Each failed try is an `Attempt` event in the stream and an `on_retry` hook.
    4. A model that is loading (503) is waited for up to `load_timeout` seconds, however many tries that takes.

    Args:
        source: The source.
        attempts: Tries in all.
        max_wait: Longest wait between two tries, in seconds; a server that asks for longer is not asked again.
        max_elapsed: No try begins later than this after the first one, in seconds; how long the last one may take,
            the timeouts of the source say.
        load_timeout: How long to wait for a model that is loading, in seconds.

    Raises:
        ConfigurationError: A number is out of range.
    """

    source: Source | AsyncSource
    attempts: int = attrs.field(default=3, validator=_at_least_one, kw_only=True)
    max_wait: float = attrs.field(default=30.0, validator=_seconds, kw_only=True)
    max_elapsed: float = attrs.field(default=120.0, validator=_seconds, kw_only=True)
    load_timeout: float = attrs.field(default=0.0, validator=_seconds, kw_only=True)

    @property
    def made_of(self) -> tuple[Source | AsyncSource, ...]:
        """The source."""
        return (self.source,)

    def _tries(self) -> Tries:
        return _Retries(self)


class _Retries:
    """The tries of one run: how many there were, and how long to wait for the next."""

    __slots__ = ("_number", "_policy", "_recipe", "_started", "source")

    def __init__(self, recipe: Retry) -> None:
        from urllib3.util import Retry as Backoff

        self.source = recipe.source
        self._recipe = recipe
        # urllib3 does not wait before its first retry, which is right for a lost connection and not for a busy model.
        self._policy = Backoff(total=None, backoff_factor=0.25, backoff_jitter=0.25, backoff_max=recipe.max_wait)
        self._policy = self._policy.increment(method="POST", url="")
        self._started = time.monotonic()
        self._number = 0

    def failed(self, error: SourceError | FormatError) -> Attempt:
        """Return the failed try, or raise its error where asking again is of no use or no longer allowed."""
        self._number += 1
        recipe = self._recipe
        waited = time.monotonic() - self._started
        if not isinstance(error, SourceError) or not error.transient:
            raise error
        loading = error.status == 503 and waited < recipe.load_timeout
        if not loading and self._number >= recipe.attempts:
            raise error
        self._policy = self._policy.increment(method="POST", url="")
        wait = self._policy.get_backoff_time() if error.retry_after is None else error.retry_after
        if loading:
            wait = min(max(wait, LOADING_POLL), recipe.load_timeout - waited)
        elif wait > recipe.max_wait or waited + wait > recipe.max_elapsed:
            error.add_note(f"not tried again: the next try would be {wait:.0f} s away")
            raise error
        return Attempt(number=self._number, error=str(error), wait=wait)
