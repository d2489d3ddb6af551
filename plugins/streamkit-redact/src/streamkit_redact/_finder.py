"""Where matches are, and where one could still begin."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from operator import attrgetter
from typing import Any

import attrs
import regex

from streamkit_redact.patterns import Pattern

_NEVER = "(?!)"
"""Never matches. A pattern that ends in it never matches either, and matches partially just where text that is still
to come would decide something."""


@attrs.frozen
class Match:
    """A match, from `start` to `end`, and what ends the mask if the match does not."""

    start: int
    end: int
    label: str
    until: Any | None


class _Rule:
    """One pattern, compiled; or the fixed strings."""

    __slots__ = ("_check", "_label", "_match", "_max_length", "_open", "_search", "_until")

    def __init__(self, pattern: Pattern | None, words: Sequence[str]) -> None:
        expression = pattern.regex if pattern else r"\L<words>"
        self._label = pattern.label if pattern else "secret"
        self._max_length = pattern.max_length if pattern else max(map(len, words))
        self._until = regex.compile(pattern.until) if pattern and pattern.until else None
        self._check = pattern.check if pattern else None
        compiled = _compile(expression, words)
        self._search, self._match = compiled.search, compiled.match
        self._open = _compile(f"(?:{expression}){_NEVER}", words).search

    def first_open(self, text: str, start: int) -> int:
        """Return the first open place from `start` on; the length of the text if there is none."""
        while (found := self._open(text, start, partial=True)) is not None:
            place: int = found.start()
            if len(text) - place < self._max_length:
                return place
            start = place + 1  # open for ever, had the pattern no longest length
        return len(text)

    def matches(self, text: str, start: int, stop: int) -> Iterator[Match]:
        """Yield the matches that begin from `start` on and before `stop`."""
        while start < stop and (found := self._search(text, start)) is not None and found.start() < stop:
            start = found.start()
            length = self._length(text, start)
            if length:
                yield Match(start, start + length, self._label, self._until)
            start += 1

    def _length(self, text: str, start: int) -> int:
        found = self._match(text, start, start + self._max_length)
        if found is None:
            return 0
        return self._check(found[0]) if self._check else len(found[0])


class Finder:
    """All patterns together. It has no state, and serves any number of runs.

    1. What matches at a place is what the pattern prefers there, within its longest length.
    2. A place is open while a match could begin there and later text decides whether, or how far. Nothing that
       comes can change what begins at a place that is not open.
    3. Costs two searches for each pattern in every piece of text; more only at a match.

    Args:
        patterns: The patterns; of matches that begin together, the first one's label counts.
        words: Fixed strings, labelled `secret`, ahead of the patterns.
    """

    __slots__ = ("_first_open", "_matches")

    def __init__(self, patterns: Sequence[Pattern], words: Sequence[str]) -> None:
        rules = [_Rule(pattern, words) for pattern in ((None,) if words else ()) + tuple(patterns)]
        self._first_open = tuple(rule.first_open for rule in rules)
        self._matches = tuple(rule.matches for rule in rules)

    def first_open(self, text: str, start: int) -> int:
        """Return the first open place from `start` on; the length of the text if there is none."""
        return min(first_open(text, start) for first_open in self._first_open)

    def matches(self, text: str, start: int, stop: int) -> list[Match]:
        """Return what begins from `start` on and before `stop`, in order of its beginning."""
        found = [match for matches in self._matches for match in matches(text, start, stop)]
        found.sort(key=attrgetter("start"))
        return found


def _compile(expression: str, words: Sequence[str]) -> Any:
    return regex.compile(expression, ignore_unused=True, words=words)
