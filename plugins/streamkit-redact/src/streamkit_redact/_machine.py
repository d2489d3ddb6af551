"""Mask what the patterns find, in the text of one run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from streamkit import Event, Token

from streamkit_redact._finder import Finder, Match
from streamkit_redact._pending import Pending
from streamkit_redact.patterns import CONTEXT


class Channel:
    """The text of one channel: what was read and is still needed, and what of it is masked.

    Args:
        finder: The patterns.
        label: Makes the text that is shown at the beginning of a mask, from the label of its first match.
        stand_in: What is shown for each masked character.
    """

    __slots__ = ("_finder", "_label", "_left", "_masked", "_next", "_pending", "_stand_in", "_text", "_untils")

    def __init__(self, finder: Finder, label: Callable[[str], str], stand_in: str) -> None:
        self._finder = finder
        self._label = label
        self._stand_in = stand_in
        self._text = ""  # from the context of the first open place on; all positions count from its beginning
        self._next = 0  # the first open place
        self._left = 0  # characters that have left, or were masked
        self._masked = 0  # where the last mask ends
        self._untils: list[tuple[Any, int]] = []  # masks whose end has not come: what ends them, and where they began
        self._pending = Pending()

    def feed(self, token: Token) -> Sequence[Token]:
        """Read a token; return what can leave."""
        text, start = self._text + token.text, self._next
        stop = self._finder.first_open(text, start)
        self._text = text
        matches = self._finder.matches(text, start, stop)
        if stop == len(text) and not (matches or self._pending or self._untils or self._masked > start):
            leaving: Sequence[Token] = (token,)
            self._left = stop
        else:
            self._pending.push(token)
            leaving = self._read(matches, stop)
        self._next = stop
        self._forget()
        return leaving

    def release(self) -> Sequence[Token]:
        """Let go what waits, as if the text ended here; if it goes on, an open place is still open."""
        if not self._pending:
            return ()
        stop = len(self._text)
        return self._read(self._finder.matches(self._text, self._next, stop), stop)

    def _read(self, matches: Iterable[Match], stop: int) -> list[Token]:
        """Mask the matches, which begin before `stop`, and let all text before it go."""
        self._close_masks()
        leaving: list[Token] = []
        for match in matches:
            leaving += self._leave(match.start)
            leaving += self._mask(match)
        return leaving + self._leave(stop)

    def _mask(self, match: Match) -> Sequence[Token]:
        begins = not self._untils and match.start >= self._masked
        self._masked = max(self._masked, match.end)
        if match.until is not None:
            self._untils.append((match.until, match.end))
            self._close_masks()
        return self._pending.hide(0, self._label(match.label)) if begins else ()

    def _close_masks(self) -> None:
        going_on: list[tuple[Any, int]] = []
        for until, start in self._untils:
            found = until.search(self._text, start)
            if found is None:
                going_on.append((until, start))
            else:
                self._masked = max(self._masked, found.end())
        self._untils = going_on

    def _leave(self, stop: int) -> list[Token]:
        if stop <= self._left:
            return self._pending.show(0)
        hidden = stop if self._untils else min(max(self._masked, self._left), stop)
        leaving: list[Token] = []
        if hidden > self._left:
            leaving += self._pending.hide(hidden - self._left, self._stand_in * (hidden - self._left))
        leaving += self._pending.show(stop - hidden)
        self._left = stop
        return leaving

    def _forget(self) -> None:
        gone = self._next - CONTEXT
        if gone > 0:
            self._text = self._text[gone:]
            self._next -= gone
            self._left -= gone
            self._masked = max(0, self._masked - gone)
            self._untils = [(until, max(0, start - gone)) for until, start in self._untils]


class Redactor:
    """Masks the union of all matches.

    1. Holds back the text from the first place on where a match could begin that later text decides: at most the
       longest length of a pattern, less one character. A token that has an id waits for the last of its characters.
    2. Releases it as soon as later text decides nothing more, when the channel changes, or at the end of the stream.
       If a channel goes on after another one, and what had left turns out to have been the beginning of a match, the
       rest of the match is masked.
    3. Never ends the stream. Matches that overlap are one mask; its label is that of the one that begins first.
       Tokens without text do not disturb a match around them.
    4. Costs two searches for each pattern and token, and memory for the text held back and the 64 characters before it.
    """

    __slots__ = ("_channel", "_channels", "_start")

    def __init__(self, start: Callable[[], Channel]) -> None:
        self._start = start
        self._channels: dict[str, Channel] = {}
        self._channel: str | None = None

    def feed(self, event: Event) -> Sequence[Event]:
        """Take an event; see the outcomes above."""
        if not isinstance(event, Token):
            return (event,)
        token = event if event.raw is None else _unnamed(event)
        if token.channel == self._channel:
            return self._channels[token.channel].feed(token)
        if not token.text:
            return (token,)
        leaving = self.flush()
        self._channel = token.channel
        if token.channel not in self._channels:
            self._channels[token.channel] = self._start()
        return [*leaving, *self._channels[token.channel].feed(token)]

    def flush(self) -> Sequence[Event]:
        """Mask what is complete, and release what is not."""
        return () if self._channel is None else self._channels[self._channel].release()


def _unnamed(token: Token) -> Token:
    """Take away what tells more than the text: `raw`, and an id where earlier transforms have cut more than space."""
    if token.special or not token.text:
        return token
    raw = token.raw or ""
    if raw.strip() == token.text.strip():
        return Token(token.text, token.id, token.logprob, False, token.channel, None, token.cont)  # noqa: FBT003 (per-token speed)
    return Token(token.text, None, None, False, token.channel, None, token.cont)  # noqa: FBT003 (per-token speed)
