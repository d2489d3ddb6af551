"""Put characters together that the engine has cut between tokens."""

from __future__ import annotations

import codecs
import re
from collections.abc import Sequence
from functools import cache
from typing import Literal

import attrs

from streamkit.errors import ConfigurationError
from streamkit.events import Event, Token
from streamkit.protocols import Machine, WatchfulMachine
from streamkit.transforms._channels import ByChannel
from streamkit.transforms._held import shown

_REPLACEMENT = "\ufffd"
_MAX_PENDING = 3  # a UTF-8 character of four bytes shows as at most three replacement characters while incomplete
_surrogate = re.compile("[\ud800-\udfff]").search
_byte_piece = re.compile("<0x([0-9A-Fa-f]{2})>").fullmatch


@attrs.frozen(kw_only=True)
class RepairText:
    """Joins characters cut in two; the first transform of a chain.

    1. Holds back half a character: one high surrogate, with `byte_pieces` up to three bytes, with `cumulative` up to
       three U+FFFD at the end.
    2. Releases it in the token that completes it. What is never completed becomes U+FFFD, so that the text can
       always be encoded.
    3. Never ends the stream, and never waits for a cluster of characters (accents, joined emoji): that would delay
       every character by a token. Text is not normalised.
    4. Costs one test for each token of ASCII text.

    Args:
        replacement: Whether to `"keep"` or `"drop"` U+FFFD, which cannot be repaired.
        byte_pieces: Whether a token whose whole text is like `<0xE4>` stands for that byte, as in SentencePiece
            vocabularies.
        cumulative: Whether each token's text is the whole text so far, as some servers send it. Only what is new
            leaves; a text that takes back what was shown is passed over until one continues it.

    Raises:
        ConfigurationError: The policy is unknown, or `byte_pieces` and `cumulative` are both set.
    """

    replacement: Literal["keep", "drop"] = "keep"
    byte_pieces: bool = False
    cumulative: bool = False

    def __attrs_post_init__(self) -> None:
        if self.replacement not in {"keep", "drop"}:
            raise ConfigurationError(f'RepairText can "keep" or "drop" U+FFFD, not {self.replacement!r} it')
        if self.byte_pieces and self.cumulative:
            raise ConfigurationError("tokens of cumulative text are never byte pieces: set one of the two")

    def start(self) -> Machine:
        """Return the machine of a new run."""
        return ByChannel(self._start)

    def _start(self, channel: str) -> WatchfulMachine:
        drop = self.replacement == "drop"
        if self.cumulative:
            return _Cumulative(channel, drop=drop)
        return _Repair(channel, drop=drop, byte_pieces=self.byte_pieces)


@cache
def _watched(*, drop: bool, byte_pieces: bool) -> frozenset[str]:
    surrogates = map(chr, range(0xD800, 0xE000))
    return frozenset((*surrogates, *(_REPLACEMENT if drop else ""), *("<" if byte_pieces else "")))


class _Repair:
    __slots__ = ("_byte_pieces", "_channel", "_drop", "_high", "_utf8")

    def __init__(self, channel: str, *, drop: bool, byte_pieces: bool) -> None:
        self._channel = channel
        self._drop = drop
        self._byte_pieces = byte_pieces
        self._high = ""  # a high surrogate whose low one has not come
        self._utf8 = codecs.getincrementaldecoder("utf-8")("replace")

    def feed(self, event: Event) -> Sequence[Event]:
        if not isinstance(event, Token) or event.special or not event.text:
            return (event,)
        if event.text.isascii() and not self._high and not self._byte_pieces:
            return (event,)
        byte = _byte_piece(event.text) if self._byte_pieces else None
        if byte is None:
            text = self._utf8.decode(b"", final=True) + event.text
        else:
            text = self._utf8.decode(bytes.fromhex(byte[1]))
        if text:
            text = self._joined(text)
        return (event,) if text == event.text else (shown(event, text),)

    def triggers(self) -> frozenset[str] | None:
        if self._high or self._utf8.getstate()[0]:
            return None
        return _watched(drop=self._drop, byte_pieces=self._byte_pieces)

    def flush(self) -> Sequence[Event]:
        rest = self._utf8.decode(b"", final=True) + (_REPLACEMENT if self._high else "")
        self._high = ""
        return (Token(rest, channel=self._channel, cont=True),) if rest and not self._drop else ()

    def _joined(self, text: str) -> str:
        if self._high or _surrogate(text):
            text = self._high + text
            self._high = text[-1] if "\ud800" <= text[-1] <= "\udbff" else ""
            if self._high:
                text = text[:-1]
            text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
        return text.replace(_REPLACEMENT, "") if self._drop else text


class _Cumulative:
    __slots__ = ("_channel", "_drop", "_pending", "_seen")

    def __init__(self, channel: str, *, drop: bool) -> None:
        self._channel = channel
        self._drop = drop
        self._seen = ""  # what has left
        self._pending = ""

    def feed(self, event: Event) -> Sequence[Event]:
        if not isinstance(event, Token) or event.special:
            return (event,)
        if not event.text.startswith(self._seen):
            return (shown(event, ""),)
        new = event.text[len(self._seen) :]
        pending = min(len(new) - len(new.rstrip(_REPLACEMENT)), _MAX_PENDING)
        text = new[: len(new) - pending]
        self._pending = new[len(text) :]
        self._seen += text
        return (shown(event, self._policy(text)),)

    def triggers(self) -> None:
        return None

    def flush(self) -> Sequence[Event]:
        rest, self._pending = self._policy(self._pending), ""
        return (Token(rest, channel=self._channel, cont=True),) if rest else ()

    def _policy(self, text: str) -> str:
        return text.replace(_REPLACEMENT, "") if self._drop else text
