"""The job of the chain benchmarks: prose with special tokens and an end mark in pieces, eight stops, count, collect."""

from __future__ import annotations

import inspect
import re
from collections.abc import AsyncIterable, AsyncIterator, Callable, Coroutine
from typing import Any, Final

from benchmarks._prose import STOPS, texts
from streamkit import Token
from streamkit.transforms._matcher import matcher
from streamkit.transforms.eos import DEFAULT_EOS

ENDING: Final = (Token(" End", 1), Token(".", 2), Token("</", 3), Token("s>", 4), Token("\n", 5))
_RUN = re.compile(f"(?:{'|'.join(map(re.escape, DEFAULT_EOS))})(?:{'|'.join(map(re.escape, DEFAULT_EOS))}|\\s)*\\Z")


def tokens(count: int) -> list[Token]:
    """Return so many tokens; every 500th is special, and the last ones spell an end mark."""
    prose = texts(count - len(ENDING))
    return [
        Token("<|pad|>", number, -0.3, special=True) if number % 500 == 499 else Token(text, number, -0.3)
        for number, text in enumerate(prose)
    ] + list(ENDING)


def clean(given: list[Token]) -> str:
    """Return what must be left of them."""
    return "".join(token.text for token in given[: -len(ENDING)] if not token.special) + " End."


class Counter:
    """The callback."""

    def __init__(self) -> None:
        self.count = 0

    def on_text(self, text: str) -> None:
        """Count."""
        self.count += 1


def by_hand(given: list[Token], counter: Counter) -> tuple[list[Token], str]:
    """Do the job in one loop with streamkit's own matcher, nothing called that can be inlined."""
    stop, eos = matcher(STOPS), matcher(DEFAULT_EOS, prune=False)
    free, eos_free = stop.firsts.isdisjoint, eos.firsts.isdisjoint
    node = root = stop.root
    walk = stop.walk
    on_text = counter.on_text
    held = ending = ""
    kept: list[Token] = []
    pieces: list[str] = []
    keep, say = kept.append, pieces.append
    for token in given:
        if token.special:
            continue
        text = token.text
        if node is not root or not free(text):
            node = walk(node, text)
            held += text
            if node.word is not None:
                text, held = held[: held.find(node.word)], ""
            else:
                cut = len(held) - node.depth
                text, held = held[:cut], held[cut:]
        if text:
            if ending or not eos_free(text):
                ending += text
                cut = _start_of_end(ending)
                text, ending = ending[:cut], ending[cut:]
            if text:
                on_text(text)
                keep(token)
                say(text)
        if node.word is not None:
            break
    rest = _RUN.sub("", ending + held)
    if rest:
        on_text(rest)
        say(rest)
    return kept, "".join(pieces)


def by_hand_async() -> Callable[[AsyncIterable[Token], Counter], Coroutine[Any, Any, tuple[list[Token], str]]]:
    """Return the same loop with `async for`, made of its own text so that the two cannot differ."""
    code = (
        inspect.getsource(by_hand)
        .replace("def by_hand(", "async def loop(")
        .replace("    for token in", "    async for token in")
    )
    made: dict[str, Any] = {}
    exec(code, globals(), made)  # noqa: S102 - our own source, a few lines above
    loop: Callable[[AsyncIterable[Token], Counter], Coroutine[Any, Any, tuple[list[Token], str]]] = made["loop"]
    return loop


async def alone(given: list[Token]) -> AsyncIterator[Token]:
    """Give the tokens asynchronously, one at a time."""
    for token in given:
        yield token


def _start_of_end(text: str) -> int:
    """Return where a run of end marks and white space begins, the last of them perhaps unfinished, at the end."""
    for length in range(max(map(len, DEFAULT_EOS)) - 1, -1, -1):
        if length <= len(text) and (not length or any(mark.startswith(text[-length:]) for mark in DEFAULT_EOS)):
            run = _RUN.search(text[: len(text) - length])
            if run or length:
                return run.start() if run else len(text) - length
    return len(text)


class Cleaner:
    """The same job as a user writes it on top of another library: hold what is ambiguous, search with `find`."""

    def __init__(self) -> None:
        self._words = (*STOPS, *DEFAULT_EOS)
        self._free = frozenset(word[0] for word in self._words).isdisjoint
        self._held = ""
        self.done = False

    def feed(self, text: str, special: bool = False) -> str:
        """Take a token's text and return what may be shown."""
        if special or self.done:
            return ""
        if not self._held and self._free(text):
            return text
        held = self._held + text
        found = [at for at in map(held.find, STOPS) if at >= 0]
        if found:
            self.done = True
            return held[: min(found)]
        cut = _start_of_end(held)
        for stop in STOPS:
            for length in range(min(len(stop) - 1, len(held)), 0, -1):
                if held.endswith(stop[:length]):
                    cut = min(cut, len(held) - length)
                    break
        self._held = held[cut:]
        return held[:cut]

    def flush(self) -> str:
        """Return what was held, without the end marks."""
        return "" if self.done else _RUN.sub("", self._held)
