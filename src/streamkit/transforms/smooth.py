"""Let text go in words instead of the engine's tokens."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

import attrs

from streamkit.errors import ConfigurationError
from streamkit.events import Event, Token
from streamkit.protocols import Machine
from streamkit.transforms._held import Held


@attrs.frozen(kw_only=True)
class Smooth:
    r"""Lets text go word by word or line by line; put it last.

    1. By `"word"`, holds back white space and the word begun behind it; characters of Chinese and Japanese, whose
       words have no spaces between them, are not held back. By `"line"`, holds back the line begun.
    2. Releases a word when white space or one of those characters follows, a line with its `\n`, and either when
       `max_chars` characters or 1,024 tokens without text are held, when an event of another kind or channel
       comes, or at the end of the stream.
    3. A token that spans several words or lines leaves in as many pieces. The text itself is not changed, and no
       time is involved: a sink decides how fast to show the pieces.
    4. Never ends the stream; costs one look at each character.

    Args:
        by: `"word"` or `"line"`.
        max_chars: The most that is held back, in characters.

    Raises:
        ConfigurationError: `by` is neither, or `max_chars` is below 1.
    """

    by: Literal["word", "line"] = "word"
    max_chars: int = 64

    def __attrs_post_init__(self) -> None:
        if self.by not in {"word", "line"}:
            raise ConfigurationError(f'Smooth goes by "word" or "line", not by {self.by!r}')
        if self.max_chars < 1:
            raise ConfigurationError(f"max_chars of Smooth is at least 1 character, not {self.max_chars}")

    def start(self) -> Machine:
        """Return the machine of a new run."""
        return _Smooth(self.max_chars, lines=self.by == "line")


class _Smooth:
    __slots__ = ("_channel", "_ended", "_held", "_lines", "_max", "_word")

    def __init__(self, max_chars: int, *, lines: bool) -> None:
        self._max = max_chars
        self._lines = lines
        self._channel = "text"  # of the tokens held
        self._word = False  # whether a word has begun in what is held
        self._held = Held()
        self._ended = False

    def feed(self, event: Event) -> Sequence[Event]:
        if self._ended:
            return ()
        if not isinstance(event, Token):
            return [*self._release(), event]
        leaving: list[Token] = []
        if event.channel != self._channel:
            leaving = self._release()
            self._channel = event.channel
        gone = -self._held.width
        cuts = list(self._lines_of(event.text) if self._lines else self._words_of(event.text))
        self._held.push(event, len(event.text))
        for cut in cuts:
            leaving += self._held.take(cut - gone)
            gone = cut
        if self._held.full:
            return leaving + self._release()
        return leaving + self._held.take(0)

    def flush(self) -> Sequence[Event]:
        if self._ended:
            return ()
        self._ended = True
        return self._release()

    def _release(self) -> list[Token]:
        self._word = False
        return self._held.take(self._held.width)

    def _words_of(self, text: str) -> Iterator[int]:
        """Yield the positions up to which `text`, behind what is held, can go."""
        waiting = self._held.width
        for position, char in enumerate(text):
            if char.isspace():
                if self._word:
                    yield position
                    waiting, self._word = 0, False
            elif _stands_alone(char):
                yield position + 1
                waiting, self._word = -1, False
            else:
                self._word = True
            waiting += 1
            if waiting == self._max:
                yield position + 1
                waiting, self._word = 0, False

    def _lines_of(self, text: str) -> Iterator[int]:
        """Yield the positions up to which `text`, behind what is held, can go."""
        waiting = self._held.width
        for position, char in enumerate(text, 1):
            waiting += 1
            if char == "\n" or waiting == self._max:
                yield position
                waiting = 0


def _stands_alone(char: str) -> bool:
    """Whether a character is a word of its own: Chinese and Japanese script and punctuation, by Unicode block."""
    return char >= "\u3000" and (
        char <= "\u30ff"  # punctuation, hiragana, katakana
        or "\u31f0" <= char <= "\u31ff"  # katakana extensions
        or "\u3400" <= char <= "\u9fff"  # unified ideographs
        or "\uf900" <= char <= "\ufaff"  # compatibility ideographs
        or "\uff00" <= char <= "\uffef"  # full-width forms
        or "\U00020000" <= char <= "\U0003ffff"  # ideograph extensions
    )
