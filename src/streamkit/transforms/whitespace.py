"""Drop the white space an answer begins with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import attrs

from streamkit.errors import ConfigurationError
from streamkit.events import Event, Token
from streamkit.protocols import Machine
from streamkit.transforms._held import shown


@attrs.frozen
class TrimStart:
    """Drops white space at the start of each channel: before the answer, and before the reasoning.

    1. Holds nothing back, and never ends the stream.
    2. Mode `"all"` drops characters for which `str.isspace` is true until another one comes; an answer of nothing
       else becomes empty. Mode `"one"` drops at most one space (U+0020), the one SentencePiece puts before a word.
    3. Afterwards it changes nothing; costs one look-up for each token.

    Args:
        mode: `"all"` or `"one"`.

    Raises:
        ConfigurationError: The mode is neither.
    """

    mode: Literal["all", "one"] = "all"

    def __attrs_post_init__(self) -> None:
        if self.mode not in {"all", "one"}:
            raise ConfigurationError(f'the mode of TrimStart is "all" or "one", not {self.mode!r}')

    def start(self) -> Machine:
        """Return the machine of a new run."""
        return _TrimStart(one=self.mode == "one")


class _TrimStart:
    __slots__ = ("_begun", "_one")

    def __init__(self, *, one: bool) -> None:
        self._one = one
        self._begun: set[str] = set()  # channels whose first character has been decided

    def feed(self, event: Event) -> Sequence[Event]:
        if not isinstance(event, Token) or event.channel in self._begun or not event.text:
            return (event,)
        text = event.text.removeprefix(" ") if self._one else event.text.lstrip()
        if text or self._one:
            self._begun.add(event.channel)
        if len(text) == len(event.text):
            return (event,)
        return (shown(event, text),) if text or event.special else ()

    def triggers(self) -> frozenset[str] | None:
        return frozenset() if "text" in self._begun else None

    def flush(self) -> Sequence[Event]:
        return ()
