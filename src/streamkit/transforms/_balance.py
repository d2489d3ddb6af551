"""Tell marks that close a tag of the text from marks that are none of its business."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping

from streamkit.transforms._matcher import Node, matcher, step


class Balance:
    """Counts, on one channel, the tags that are open.

    1. A mark is kept while its tag is open, and closes it. No other mark ends or goes on where it ends.
    2. Remembers a number for each tag; holds nothing back itself.
    3. Costs one step of an automaton for each character that is looked at, and nothing without tags.

    Args:
        openers: The opening tag of each mark that can close one.
    """

    __slots__ = ("_closers", "_matcher", "_node", "_open", "_opened")

    def __init__(self, openers: Mapping[str, str]) -> None:
        self._closers: dict[str, list[str]] = {}
        for closer, opener in openers.items():
            self._closers.setdefault(opener, []).append(closer)
        self._matcher = matcher(tuple(self._closers), prune=False)
        self._node = self._matcher.root
        self._opened: deque[tuple[int, str]] = deque()  # by the last token read: where a tag ends, and which
        self._open: dict[str, int] = {}  # by mark, never 0

    def ignores(self, text: str) -> bool:
        """Tell whether a text need not be read: it neither begins nor goes on with an opening tag."""
        return self._node is self._matcher.root and self._matcher.firsts.isdisjoint(text)

    def triggers(self, marks: frozenset[str]) -> frozenset[str] | None:
        """Return the characters that matter now, with those of the marks; see `WatchfulMachine`."""
        if not self._closers:
            return marks
        return marks | self._matcher.firsts if self._node is self._matcher.root else None

    def read(self, text: str, end: int) -> None:
        """Look for opening tags.

        Args:
            text: What follows.
            end: The position before it.
        """
        if not self._closers:
            return
        self._open_until(end)
        for position, char in enumerate(text, end + 1):
            self._node = node = step(self._node, char)
            self._opened += [(position, opener) for opener in _words_at(node)]

    def keeps(self, node: Node, end: int) -> bool:
        """Tell whether a mark that ends here belongs to the text; its tag is closed then.

        Args:
            node: The state of the automaton of the marks.
            end: The position.
        """
        if not self._closers:
            return False
        self._open_until(end - 1)
        for mark in _words_at(node):
            if mark in self._open:
                self._open[mark] -= 1
                if not self._open[mark]:
                    del self._open[mark]
                return True
        return False

    def may_become_mark(self, node: Node, marks: Iterable[str]) -> bool:
        """Tell whether what is begun here, at the end of what was read, can become a mark that is not kept."""
        if self._opened:
            self._open_until(self._opened[-1][0])
        if not self._open:
            return True
        begun = node.witness[: node.depth]
        return any(
            mark.startswith(begun)
            and not any(kept in mark[max(0, len(begun) + 1 - len(kept)) :] for kept in self._open)
            for mark in marks
        )

    def _open_until(self, end: int) -> None:
        while self._opened and self._opened[0][0] <= end:
            for closer in self._closers[self._opened.popleft()[1]]:
                self._open[closer] = self._open.get(closer, 0) + 1


def _words_at(node: Node) -> Iterable[str]:
    """Return the words that end in a state, the longest first."""
    return (node.witness[node.depth - length : node.depth] for length in node.lengths)
