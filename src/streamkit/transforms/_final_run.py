"""Remove the end marks that a text ends with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from streamkit.events import Event, Finish, Token
from streamkit.transforms._balance import Balance
from streamkit.transforms._held import Held
from streamkit.transforms._matcher import Matcher, Node, step

MAX_RUN: Final = 1024
"""Characters of end marks and white space in a row, or special tokens behind them (`<pad>`), after which the model is
taken to repeat itself for ever."""

_BLANK: Final = frozenset(" \t\r\n")


class FinalRun:
    """Removes the run of marks and white space that ends the text of one channel; see `ScrubEos`.

    A run can begin with any mark, also one that contains another, so no mark is left out of the automaton.
    `_starts` maps each position at which a run ends to the earliest position at which that run can begin. Positions
    count the characters that were looked at; a hidden mark is a run of no character, and ends where it begins.

    Args:
        matcher: The marks, none left out.
        balance: Which marks are kept while their opening tag is open.
    """

    __slots__ = ("_balance", "_end", "_ended", "_held", "_matcher", "_node", "_specials", "_starts")

    def __init__(self, matcher: Matcher, balance: Balance) -> None:
        self._matcher = matcher
        self._balance = balance
        self._node = matcher.root
        self._held = Held()
        self._end = 0
        self._starts: dict[int, int] = {}
        self._specials = 0  # special tokens that wait behind the start of a run
        self._ended = False

    def feed(self, event: Event) -> Sequence[Event]:
        """Take an event."""
        if self._ended:
            return ()
        if not isinstance(event, Token):
            return (event,)
        if event.special:
            return self._atom(event)
        balance = self._balance
        if self._idle() and self._matcher.firsts.isdisjoint(event.text) and balance.ignores(event.text):
            return (event,)
        base = self._end - self._held.width
        self._held.push(event, len(event.text))
        balance.read(event.text, self._end)
        too_long = self._read(event.text)
        return self._release() if too_long is None else self._overflow(too_long - base)

    def triggers(self) -> frozenset[str] | None:
        """Return the characters that matter now; see `WatchfulMachine`."""
        return self._balance.triggers(self._matcher.firsts) if self._idle() and not self._ended else None

    def flush(self) -> Sequence[Event]:
        """Release what is held, without the run that ends it."""
        if self._ended:
            return ()
        self._ended = True
        run = self._end - self._starts.get(self._end, self._end)
        return self._without_run(self._held.width - run)

    def _idle(self) -> bool:
        """Tell whether nothing is held and no mark begun; one that is kept or hidden is begun without being held."""
        return not self._held and self._node is self._matcher.root and self._end not in self._starts

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
            if node.lengths and self._balance.keeps(node, end):
                node = root
                continue
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
        mark = (token.text if token.raw is None else token.raw) in self._matcher.words
        if not mark and not self._held:
            return (token,)
        width = len(token.text) if mark else 0
        full = bool(token.text) and self._held.full
        self._held.push(token, width)
        start = self._starts.get(self._end, self._end)
        self._specials += not width
        self._end += width
        if self._end - start > MAX_RUN or (start < self._end and self._specials > MAX_RUN):
            return self._overflow(start - self._end + self._held.width)
        if not mark and not full:
            return ()
        if mark:
            self._starts[self._end] = start
        self._node = self._matcher.root  # a mark begun before it will not go on behind it
        return self._release()

    def _release(self) -> Sequence[Event]:
        """Let go what no longer can be part of a final run: it is neither in a run nor in a mark begun behind one."""
        starts, end = self._starts, self._end
        start = starts.get(end, end)
        node: Node = self._node
        while node.depth:
            if self._balance.may_become_mark(node, self._matcher.live):
                start = min(start, starts.get(end - node.depth, end - node.depth))
            node = node.fail
        leaving = self._held.take(self._held.width - (end - start))
        if leaving:
            self._specials = 0
            self._starts = {position: begin for position, begin in starts.items() if position >= start}
        return leaving

    def _overflow(self, count: int) -> Sequence[Event]:
        self._ended = True
        return [*self._without_run(count), Finish(reason="eos_token")]

    def _without_run(self, count: int) -> list[Token]:
        """Let `count` characters go and remove the rest."""
        return self._held.take(count) + self._held.drop(self._held.width)
