"""The transform: a frozen recipe, and the machine of one run."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
from streamkit import ConfigurationError, Event, Token


@attrs.frozen
class Template:
    """Puts one phrase in the place of another, wherever the engine's tokens cut it.

    1. Holds back the end of the answer's text while it could still become the phrase.
    2. Releases it with the token that decides, or at the end of the stream.
    3. Never ends the stream; other channels and special tokens pass as they are.
    4. Costs one search of each token.

    Args:
        old: The phrase to replace.
        new: What to show in its place.

    Raises:
        ConfigurationError: The phrase to replace is empty.
    """

    old: str = "utilize"
    new: str = "use"

    def __attrs_post_init__(self) -> None:
        if not self.old:
            raise ConfigurationError("the phrase to replace is empty")

    def start(self) -> _Replacing:
        """Return the machine of a new run."""
        return _Replacing(self.old, self.new)


class _Replacing:
    __slots__ = ("_held", "_new", "_old")

    def __init__(self, old: str, new: str) -> None:
        self._old = old
        self._new = new
        self._held = ""  # the end of the text, which could still become the phrase

    def feed(self, event: Event) -> Sequence[Event]:
        if not isinstance(event, Token) or event.special or event.channel != "text":
            return (event,)
        *before, rest = (self._held + event.text).split(self._old)
        longest = min(len(rest), len(self._old) - 1)
        held = next(size for size in range(longest, -1, -1) if rest.endswith(self._old[:size]))
        shown = self._new.join([*before, rest[: len(rest) - held]])
        self._held = rest[len(rest) - held :]
        if shown == event.text:
            return (event,)
        # Not `attrs.evolve`, which takes three times as long, and this is done for each token.
        raw = event.raw or event.text
        return (Token(shown, event.id, event.logprob, event.special, event.channel, raw, event.cont),)

    def flush(self) -> Sequence[Event]:
        return (Token(self._held, cont=True),) if self._held else ()
