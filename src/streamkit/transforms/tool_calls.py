"""Tell the tools that a model calls from its answer where both arrive in one text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import attrs
import msgspec

from streamkit.events import Event, Token, ToolCallDelta
from streamkit.protocols import Machine
from streamkit.request import Request
from streamkit.transforms._excise import Excise
from streamkit.transforms._matcher import matcher
from streamkit.transforms._tags import TagPair, pairs_of

CALL_TAGS: Final[tuple[TagPair, ...]] = (("<tool_call>", "</tool_call>"),)
"""The tags of Hermes, Qwen and most models after them."""

MAX_CALL: Final = 100_000
"""Characters of a call that are held back."""


def _pairs(tags: Iterable[Iterable[str]]) -> tuple[TagPair, ...]:
    return pairs_of(tags, "tool call", CALL_TAGS)


@attrs.frozen(kw_only=True)
class SplitToolCalls:
    """Turns the text between tool call tags into `ToolCallDelta` events and drops the tags.

    For models whose server does not read their calls itself. A call is JSON, `{"name": ..., "arguments": {...}}` with
    `parameters` for `arguments` in some models, or an array of such objects.

    1. Holds back the text that can still grow into an opening tag, and a call until its closing tag; a closing tag
       within a string of the JSON is part of the call.
    2. Releases a call whole, with its name, when it is closed. What is no such JSON, or was not closed at the end of
       the stream, leaves as the `arguments` of a call without a name, as the model wrote it. So does a call longer than
       100,000 characters, in pieces.
    3. Never ends the stream, whose reason stays what the engine says. A special token whose whole text is a tag is
       that tag; put this before `SkipSpecialTokens`, and before `SplitReasoning`, since models call tools amidst their
       reasoning.
    4. Costs constant time for each character.

    Only the channel `"text"` is read; calls that the engine has read already pass untouched. Before a run, stop hints
    of later transforms are removed: the server would stop inside a call.

    Args:
        tags: Pairs of an opening and a closing tag.

    Raises:
        ConfigurationError: There is no pair, a pair has not two different tags, or a tag is empty or not a string.
    """

    tags: tuple[TagPair, ...] = attrs.field(default=CALL_TAGS, converter=_pairs)

    def start(self) -> Machine:
        """Return the machine of a new run."""
        return _SplitToolCalls(dict(self.tags))

    def prepare(self, request: Request) -> Request:
        """Remove the stop hints: a stop sequence of the answer must not stop a call on the server."""
        return attrs.evolve(request, stop=()) if request.stop else request


class _SplitToolCalls(Excise):
    __slots__ = ("_answer", "_call", "_closing", "_escaped", "_index", "_inside", "_quoted", "_size")

    def __init__(self, closing: dict[str, str]) -> None:
        self._answer = matcher(tuple(closing))
        self._closing = closing
        self._index = 0  # of the next call
        self._inside = False
        super().__init__(self._answer, "text")

    def feed(self, event: Event) -> Sequence[Event]:
        if type(event) is ToolCallDelta:
            self._index = max(self._index, event.index + 1)
        return super().feed(event)

    def triggers(self) -> frozenset[str] | None:
        return None if self._inside else super().triggers()

    def flush(self) -> Sequence[Event]:
        leaving = super().flush()
        return [*leaving, *self._close()] if self._inside else leaving

    def _found(self, word: str) -> Sequence[Event]:
        if not self._inside:
            self._open(word)
            return ()
        return self._add(word) if self._quoted else self._close()

    def _found_special(self, token: Token) -> Sequence[Event]:
        leaving = self._place(self._held.take(self._held.width))
        if self._inside:
            leaving = [*leaving, *self._close()]
        else:
            self._open(token.text if token.raw is None else token.raw)
        self._node = self._matcher.root
        return leaving

    def _place(self, tokens: Sequence[Token]) -> Sequence[Event]:
        if not self._inside:
            return tokens
        leaving: list[Event] = []
        for token in tokens:
            leaving += (token,) if token.special else self._add(token.text)
        return leaving

    def _open(self, tag: str) -> None:
        self._inside = True
        self._matcher = matcher((self._closing[tag],))
        self._call: list[str] = []
        self._size = 0
        self._quoted = self._escaped = False  # whether a string of the JSON is open, and a backslash in it

    def _add(self, text: str) -> Sequence[Event]:
        for char in text:
            if self._escaped:
                self._escaped = False
            elif char == "\\":
                self._escaped = self._quoted
            elif char == '"':
                self._quoted = not self._quoted
            elif char == "\n":
                self._quoted = False  # JSON has no line ends in strings: this one was never closed
        self._call.append(text)
        self._size += len(text)
        return self._piece() if self._size > MAX_CALL else ()

    def _piece(self) -> Sequence[Event]:
        """Let go what is held of a call that is too long to be read."""
        text, self._call = "".join(self._call), []
        return (ToolCallDelta(index=self._index, arguments=text),) if text else ()

    def _close(self) -> Sequence[Event]:
        self._inside = False
        self._matcher = self._answer
        if self._size > MAX_CALL:
            self._index += 1
            return ()
        calls = _calls_in("".join(self._call))
        first, self._index = self._index, self._index + len(calls)
        return [attrs.evolve(call, index=index) for index, call in enumerate(calls, first)]


class _Call(msgspec.Struct):
    name: str
    arguments: msgspec.Raw = msgspec.Raw(b"")
    parameters: msgspec.Raw = msgspec.Raw(b"")


_decode = msgspec.json.Decoder(_Call | list[_Call]).decode


def _calls_in(text: str) -> list[ToolCallDelta]:
    """Read the calls between two tags; what cannot be read is one call without a name."""
    if not text.strip():
        return []
    try:
        read = _decode(text)
        calls = read if isinstance(read, list) else [read]
        return [ToolCallDelta(name=call.name, arguments=_arguments_of(call)) for call in calls]
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return [ToolCallDelta(arguments=text)]


def _arguments_of(call: _Call) -> str:
    written = bytes(call.arguments or call.parameters) or b"{}"
    # Some models write the arguments as OpenAI's API has them: JSON in a string.
    return msgspec.json.decode(written, type=str) if written.startswith(b'"') else written.decode()
