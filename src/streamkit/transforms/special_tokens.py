"""Hide the control tokens of a model's vocabulary."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import attrs

from streamkit.events import Event, Token
from streamkit.protocols import Machine
from streamkit.transforms._held import hidden
from streamkit.transforms._matcher import words_of


def _kept(keep: str | Iterable[str]) -> tuple[str, ...]:
    return words_of((keep,), "a special token to keep")


@attrs.frozen
class SkipSpecialTokens:
    """Hides special tokens: their text becomes empty, their id and their text in `raw` stay in the stream.

    1. Holds nothing back, and never ends the stream.
    2. A later `StopSequences` still sees a hidden token, and stops at one whose whole text is a stop sequence.
    3. Costs one test for each token; only a token that is hidden is made anew.

    Args:
        keep: Special tokens to show all the same, by their whole text: some vocabularies make `<think>` or
            `<tool_call>` special.

    Raises:
        ConfigurationError: A token to keep is empty or not a string.
    """

    keep: tuple[str, ...] = attrs.field(default=(), converter=_kept)

    def start(self) -> Machine:
        """Return the machine of a new run."""
        return _SkipSpecialTokens(frozenset(self.keep))


class _SkipSpecialTokens:
    __slots__ = ("_keep",)

    def __init__(self, keep: frozenset[str]) -> None:
        self._keep = keep

    def feed(self, event: Event) -> Sequence[Event]:
        if isinstance(event, Token) and event.special and event.text not in self._keep:
            return (hidden(event),)
        return (event,)

    def triggers(self) -> frozenset[str]:
        return frozenset()

    def flush(self) -> Sequence[Event]:
        return ()
