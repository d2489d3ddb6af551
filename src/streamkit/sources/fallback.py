"""Several sources for one answer: the next one is asked when one fails before its first token."""

from __future__ import annotations

import attrs

from streamkit.errors import ConfigurationError, FormatError, SourceError
from streamkit.events import Attempt
from streamkit.protocols import AsyncSource, Source
from streamkit.sources._again import Again, Tries


@attrs.frozen(init=False)
class Fallback(Again):
    """Sources in the order in which they are asked.

    1. A source that fails before its first token, for whatever reason on its side, hands over to the next; the
       failure is an `Attempt` event in the stream and an `on_retry` hook.
    2. After the first token nothing is asked again: the error comes out, with the text so far.
    3. When the last source fails, its error comes out, with a note for each one before it.

    Args:
        sources: The sources, the preferred one first.

    Raises:
        ConfigurationError: There is none.
    """

    sources: tuple[Source | AsyncSource, ...]

    def __init__(self, *sources: Source | AsyncSource) -> None:
        if not sources:
            raise ConfigurationError("Fallback needs at least one source")
        self.__attrs_init__(sources)  # pyright: ignore[reportAttributeAccessIssue]  # attrs makes it

    @property
    def made_of(self) -> tuple[Source | AsyncSource, ...]:
        """The sources."""
        return self.sources

    def _tries(self) -> Tries:
        return _Choices(self.sources)


class _Choices:
    """The tries of one run: the sources left, and how the others failed."""

    __slots__ = ("_failures", "_others", "source")

    def __init__(self, sources: tuple[Source | AsyncSource, ...]) -> None:
        self.source, *self._others = sources
        self._failures: list[str] = []

    def failed(self, error: SourceError | FormatError) -> Attempt:
        """Return the failed try, or raise its error after the last source."""
        if not self._others:
            for failure in self._failures:
                error.add_note(f"before it: {failure}")
            raise error
        self._failures.append(str(error))
        self.source = self._others.pop(0)
        return Attempt(number=len(self._failures), error=str(error), wait=0.0)
