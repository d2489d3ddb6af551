"""Find the first of many words in text that arrives in pieces, at a cost that does not grow with their number.

1. The winner is the occurrence that ends first; of those that end together, the longest. It is known the moment its
   last character arrives, and no later text can change it.
2. A word that contains another word ending before its own last character can never win. Such dead words are left
   out; without them, the winner is simply the leftmost occurrence, and no two words can match at one place.
3. The state between two pieces is one node of an Aho-Corasick automaton. Its depth is the number of characters that
   must be held back: the longest suffix of the text that can still grow into a word.
4. Cost: constant time for each character, amortised. An automaton is never changed after it is built, so all runs
   with the same words share it.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from streamkit.errors import ConfigurationError

MAX_CHARACTERS = 100_000
"""Total length of the words of one automaton; at this size it takes about 50 MB."""

_LONG = 48  # characters; from here on, jumping to the next possible first character beats looking at each
_JUMP_FIRSTS = 8  # with more distinct first characters, jumping costs more than the plain loop


class Node(dict[str, "Node"]):
    """A prefix of the words: maps the next character to the longer prefix.

    Attributes:
        depth: Length of the prefix, in characters.
        witness: A word that begins with it.
        fail: The longest proper suffix of the prefix that is a prefix itself; the root's is the root.
        word: The word that is complete here, if one is.
        lengths: Lengths of all the words that end here, as suffixes of the prefix too.
    """

    __slots__ = ("depth", "fail", "lengths", "witness", "word")

    def __init__(self, depth: int, witness: str) -> None:
        super().__init__()
        self.depth = depth
        self.witness = witness
        self.fail: Node = self
        self.word: str | None = None
        self.lengths: tuple[int, ...] = ()


class _Leaf(Node):
    """A complete word, never left again: the inner loop then needs no test for it."""

    __slots__ = ()

    def get(self, key: object, default: object = None) -> Any:  # noqa: ARG002 (dict's signature)
        return self


class Matcher:
    """The automaton of some words.

    Args:
        words: The words.
        prune: Whether to leave out the dead ones; `walk` and `search` need that.

    Attributes:
        words: All the words, dead ones too.
        live: The words in the automaton, in the order given.
        root: The state in which nothing is held back.
        firsts: First characters of the words in it: text without any of them cannot begin a match.
        jump: Finds the next of them; `None` where looking at each character is quicker.
    """

    __slots__ = ("firsts", "jump", "live", "root", "words")

    def __init__(self, words: tuple[str, ...], *, prune: bool = True) -> None:
        self.words = frozenset(words)
        self.live = _live(words) if prune else words
        self.root = _automaton(self.live, _Leaf if prune else Node)
        self.firsts = frozenset(self.root)
        self.jump = None
        if 0 < len(self.firsts) <= _JUMP_FIRSTS:
            self.jump = re.compile("[" + re.escape("".join(sorted(self.firsts))) + "]").search

    def walk(self, node: Node, text: str) -> Node:
        """Return the state after `text`; one with a `word` if a word was completed on the way.

        Where in the text it was completed is left to `str.find`: the first occurrence of that word is the match.
        """
        if len(text) > _LONG and self.jump is not None:
            return self.search(node, text, 0)[0]
        root = self.root
        for char in text:
            after = node.get(char)
            if after is not None:
                node = after
                continue
            while node is not root:
                node = node.fail
                after = node.get(char)
                if after is not None:
                    node = after
                    break
        return node

    def search(self, node: Node, text: str, position: int) -> tuple[Node, int]:
        """Read `text` from `position` until a word is complete or the text ends.

        Returns:
            The state, with a `word` if one is complete, and the position up to which the text was read.
        """
        root, jump, end = self.root, self.jump, len(text)
        while position < end:
            if node is root and jump is not None:
                found = jump(text, position)
                if found is None:
                    return root, end
                position = found.start()
            node = step(node, text[position])
            position += 1
            if node.word is not None:
                break
        return node, position


def step(node: Node, char: str) -> Node:
    """Return the state after one more character."""
    after = node.get(char)
    while after is None:
        if node.fail is node:
            return node
        node = node.fail
        after = node.get(char)
    return after


def words_of(values: Iterable[object], what: str) -> tuple[str, ...]:
    """Check words given by a user and drop duplicates, keeping the order.

    Args:
        values: The words, or iterables of them.
        what: What they are called in a message.

    Returns:
        The words, each once.

    Raises:
        ConfigurationError: One is empty or no string, or all together are too long.
    """
    words: dict[str, None] = {}
    for value in values:
        nested = isinstance(value, Iterable) and not isinstance(value, (str, bytes))
        for word in value if isinstance(value, Iterable) and nested else (value,):
            if not isinstance(word, str) or not word:
                raise ConfigurationError(f"{what} must be a non-empty string: remove or replace {word!r}")
            words[word] = None
    if (total := sum(map(len, words))) > MAX_CHARACTERS:
        raise ConfigurationError(
            f"{what} list is {total} characters long in all, the limit is {MAX_CHARACTERS}: give fewer or shorter ones"
        )
    return tuple(words)


@lru_cache(maxsize=32)  # a server's clients may choose the words, and an automaton can take 50 MB
def matcher(words: tuple[str, ...], *, prune: bool = True) -> Matcher:
    """Return the shared matcher of some words."""
    return Matcher(words, prune=prune)


def _automaton(words: Iterable[str], last: type[Node]) -> Node:
    """Build the trie of the words, each ending in a node of type `last`, and link each prefix to its suffix."""
    root = Node(0, "")
    for word in words:
        node = root
        for depth, char in enumerate(word, 1):
            after = dict.get(node, char)
            if after is None:
                after = node[char] = (last if depth == len(word) else Node)(depth, word)
            node = after
        node.word = word
    waiting = deque([root])
    while waiting:
        node = waiting.popleft()
        for char, child in node.items():
            if node is root:
                child.fail = root
            else:
                child.fail = step(node.fail, char)
            own = () if child.word is None else (child.depth,)
            child.lengths = own + child.fail.lengths
            waiting.append(child)
    return root


def _live(words: tuple[str, ...]) -> tuple[str, ...]:
    """Leave out each word in which another one ends before its last character."""
    root = _automaton(words, Node)

    def can_win(word: str) -> bool:
        node = root
        for char in word[:-1]:
            node = node[char]
            if node.lengths:
                return False
        return True

    return tuple(word for word in words if can_win(word))
