"""Pairs of an opening and a closing tag, as a user gives them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

from streamkit.errors import ConfigurationError
from streamkit.transforms._matcher import words_of

TagPair: TypeAlias = tuple[str, str]


def pairs_of(tags: Iterable[Iterable[str]], what: str, example: tuple[TagPair, ...]) -> tuple[TagPair, ...]:
    """Check pairs of tags.

    Args:
        tags: The pairs.
        what: What is between them, for messages.
        example: Pairs that are right, for messages.

    Returns:
        The pairs.

    Raises:
        ConfigurationError: There is none, or one has not two different tags, or a tag is empty or not a string.
    """
    pairs: list[TagPair] = []
    for pair in tags:
        match () if isinstance(pair, str) else words_of(pair, f"a {what} tag"):
            case (opening, closing):
                pairs.append((opening, closing))
            case _:
                raise ConfigurationError(
                    f"{pair!r} is no pair of an opening and a closing tag; tags look like {example!r}"
                )
    if not pairs:
        raise ConfigurationError(f"there are no {what} tags to split by: give one pair at least")
    return tuple(pairs)
