"""Take out end-of-sequence marks that arrive as text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

import attrs

from streamkit.errors import ConfigurationError
from streamkit.events import Event, Finish, Token
from streamkit.protocols import Machine, WatchfulMachine
from streamkit.transforms._channels import ByChannel
from streamkit.transforms._cut import Cut
from streamkit.transforms._excise import Excise
from streamkit.transforms._held import Held, hidden
from streamkit.transforms._matcher import Matcher, Node, matcher, step, words_of

DEFAULT_EOS = (
    "</s>",
    "<|endoftext|>",
    "<|end|>",
    "<|eot_id|>",
    "<|im_end|>",
    "<|end_of_text|>",
    "<end_of_turn>",
    "<eos>",
    "<｜end▁of▁sentence｜>",
)
"""End marks of the common model families; `<|end|>` ends a turn in Phi but only a channel in harmony models."""

MAX_RUN = 1024
"""Characters of end marks and white space in a row, or special tokens behind them (`<pad>`), after which the model is
taken to repeat itself for ever."""

_BLANK = frozenset(" \t\r\n")


def _marks(eos: str | Iterable[str]) -> tuple[str, ...]:
    return words_of((eos,), "an end-of-sequence mark")


@attrs.frozen
class ScrubEos:
    """Removes end-of-sequence marks, whether they arrive as special tokens or as text in pieces.

    1. Holds back exactly the text that may still turn out to be removed.
    2. Mode `"end"` removes the longest run of marks and white space (space, tab, CR, LF) that begins with a mark and
       ends the stream; text before it, and marks elsewhere, stay. What is held leaves whole as soon as something
       else follows. A run of more than 1,024 characters, or with as many other special tokens behind it, ends the
       stream with `Finish(reason="eos_token")`.
    3. Mode `"cut"` ends the stream at the first mark with `Finish(reason="eos_token")`: right for completion
       servers that run on behind it.
    4. Mode `"all"` removes every mark and goes on. Text around a removed mark is not searched again, so `<</s>/s>`
       becomes `</s>`; where no mark may ever be shown, use `"cut"`.
    5. A special token is one mark or none: marks are not sought inside its text, and one that is no mark does not
       disturb a mark around it. A removed one stays in the stream, hidden, except that a cut drops its mark.
    6. Costs constant time for each character.

    Each channel is read by itself.

    Args:
        eos: The marks, best those of the model at hand.
        mode: `"end"`, `"cut"` or `"all"`.

    Raises:
        ConfigurationError: A mark is empty or not a string, or the mode is none of the three.
    """

    eos: tuple[str, ...] = attrs.field(default=DEFAULT_EOS, converter=_marks)
    mode: Literal["end", "cut", "all"] = "end"

    def __attrs_post_init__(self) -> None:
        if self.mode not in {"end", "cut", "all"}:
            raise ConfigurationError(f'the mode of ScrubEos is "end", "cut" or "all", not {self.mode!r}')

    def start(self) -> Machine:
        """Return the machine of a new run."""
        return ByChannel(self._start)

    def _start(self, channel: str) -> WatchfulMachine:
        if self.mode == "end":
            return _AtEnd(matcher(self.eos, prune=False))
        if self.mode == "cut":
            return Cut(matcher(self.eos), channel, reason="eos_token", include=False, specials_are_text=False)
        return _Everywhere(matcher(self.eos), channel)


class _Everywhere(Excise):
    __slots__ = ()

    def _found_special(self, token: Token) -> Sequence[Event]:
        mark = hidden(token)
        if not self._held:
            return (mark,)
        self._held.push(mark, 0)
        return ()


class _AtEnd:
    """Mode `"end"` on one channel.

    A run can begin with any mark, also one that contains another, so no mark is left out of the automaton.
    `_starts` maps each position at which a run ends to the earliest position at which that run can begin. Positions
    count the characters that were looked at.
    """

    __slots__ = ("_end", "_ended", "_held", "_matcher", "_node", "_specials", "_starts")

    def __init__(self, matcher: Matcher) -> None:
        self._matcher = matcher
        self._node = matcher.root
        self._held = Held()
        self._end = 0
        self._starts: dict[int, int] = {}
        self._specials = 0  # special tokens that wait behind the start of a run
        self._ended = False

    def feed(self, event: Event) -> Sequence[Event]:
        if self._ended:
            return ()
        if not isinstance(event, Token):
            return (event,)
        if event.special:
            return self._atom(event)
        if not self._held and self._matcher.firsts.isdisjoint(event.text):
            return (event,)
        base = self._end - self._held.width
        self._held.push(event, len(event.text))
        too_long = self._read(event.text)
        return self._release() if too_long is None else self._overflow(too_long - base)

    def triggers(self) -> frozenset[str] | None:
        return None if self._held or self._ended else self._matcher.firsts

    def flush(self) -> Sequence[Event]:
        if self._ended:
            return ()
        self._ended = True
        run = self._end - self._starts.get(self._end, self._end)
        return self._without_run(self._held.width - run)

    def _read(self, text: str) -> int | None:
        """Look at each character; return where a run begins that has become too long."""
        root, jump, starts, node, end = self._matcher.root, self._matcher.jump, self._starts, self._node, self._end
        position = 0
        while position < len(text):
            if node is root and jump is not None and end not in starts:
                found = jump(text, position)
                skipped = (len(text) if found is None else found.start()) - position
                position, end = position + skipped, end + skipped
                if found is None:
                    break
            char = text[position]
            position, end, node = position + 1, end + 1, step(node, char)
            start = min((starts.get(end - length, end - length) for length in node.lengths), default=end)
            if char in _BLANK:
                start = min(start, starts.get(end - 1, end))
            if start < end:
                starts[end] = start
                if end - start > MAX_RUN:
                    return start
        self._node, self._end = node, end
        return None

    def _atom(self, token: Token) -> Sequence[Event]:
        width = len(token.text) if token.text in self._matcher.words else 0
        if not width and not self._held:
            return (token,)
        self._held.push(token, width)
        start = self._starts.get(self._end, self._end)
        self._specials += not width
        self._end += width
        if self._end - start > MAX_RUN or (start < self._end and self._specials > MAX_RUN):
            return self._overflow(start - self._end + self._held.width)
        if not width:
            return ()
        self._starts[self._end] = start
        self._node = self._matcher.root  # a mark begun before it will not go on behind it
        return self._release()

    def _release(self) -> Sequence[Event]:
        """Let go what no longer can be part of a final run: it is neither in a run nor in a mark begun behind one."""
        starts, end = self._starts, self._end
        start = starts.get(end, end)
        node: Node = self._node
        while node.depth:
            start = min(start, starts.get(end - node.depth, end - node.depth))
            node = node.fail
        leaving = self._held.take(self._held.width - (end - start))
        if leaving:
            self._specials = 0
            self._starts = {position: begin for position, begin in starts.items() if position > start}
        return leaving

    def _overflow(self, count: int) -> Sequence[Event]:
        self._ended = True
        return [*self._without_run(count), Finish(reason="eos_token")]

    def _without_run(self, count: int) -> list[Token]:
        """Let `count` characters go and remove the rest."""
        return self._held.take(count) + self._held.drop(self._held.width)
