"""Streams of events as engines send them, made of the words that a part looks for."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Mapping
from types import CodeType
from typing import TYPE_CHECKING, Any, Final, TypeVar

import attrs

from streamkit.events import Attempt, Event, Token, ToolCallDelta

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

Made = TypeVar("Made")
PLAIN: Final = ("a", "b", " ", "\n", "A", ".", "0", "ab", "é", "ß", "日", "\N{SLIGHTLY SMILING FACE}")
SPECIAL: Final = ("</s>", "<|im_end|>")
_LONGEST: Final = 40
_MOST: Final = 60
_DEEPEST: Final = 4


def words_of(*parts: object) -> tuple[str, ...]:
    """Return the strings that parts seem to look for: in their settings, and as constants in their code.

    Args:
        parts: A recipe, the machine it starts.
    """
    found = [word for part in parts for word in (*_in_settings(part), *_in_code(type(part)))]
    return tuple(dict.fromkeys(word for word in found if 0 < len(word) <= _LONGEST))[:_MOST]


def texts(words: Iterable[str], *, surrogates: bool = False) -> SearchStrategy[str]:
    """Return texts made of words, parts of words and other characters.

    Args:
        words: What the part under test looks for.
        surrogates: Whether a character may be half of one, as JSON can spell it.
    """
    from hypothesis import strategies as st

    words = tuple(words)
    parts = {part for word in words for part in (*word, word[:-1], word[1:], word[: len(word) // 2]) if part}
    pieces = [*PLAIN, *words, *sorted(parts - {*PLAIN, *words})]
    if surrogates:
        pieces += ["\ud83d", "\ude42"]
    return st.lists(st.sampled_from(pieces), max_size=4).map("".join)


def streams(words: Iterable[str], *, surrogates: bool = False) -> SearchStrategy[list[Event]]:
    """Return streams without their `Finish`: tokens with and without ids, special ones, channels, other events."""
    from hypothesis import strategies as st

    words = tuple(words)
    text = texts(words, surrogates=surrogates)
    special = st.sampled_from((*SPECIAL, *words))
    event = st.one_of(
        text.map(Token),
        text.map(Token),
        special.map(lambda mark: Token(mark, special=True)),
        text.map(lambda thought: Token(thought, channel="reasoning")),
        # Two texts, so that a token is always the smaller example.
        st.tuples(text, text).map(lambda drawn: ToolCallDelta(name=drawn[0] or None, arguments=drawn[1])),
        st.tuples(text, text).map(lambda drawn: Attempt(number=1, error="".join(drawn), wait=0.0)),
    )
    return st.builds(_ordered, st.lists(event, max_size=8), st.booleans())


def pairs(strategy: SearchStrategy[Made]) -> SearchStrategy[tuple[Made, Made]]:
    """Return two inputs at a time."""
    from hypothesis import strategies as st

    return st.tuples(strategy, strategy)


def _ordered(events: list[Event], ids: bool) -> list[Event]:
    """Put failed tries before everything else, as they come, and number the tokens if they have ids."""
    tries = [event for event in events if type(event) is Attempt]
    answer = [event for event in events if type(event) is not Attempt]
    return [
        *tries,
        *(
            attrs.evolve(event, id=number) if ids and type(event) is Token else event
            for number, event in enumerate(answer, 1)
        ),
    ]


def _in_settings(value: object, depth: int = 0) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif depth < _DEEPEST:
        if isinstance(value, Mapping):
            inside: Iterable[object] = (*value.keys(), *value.values())
        elif isinstance(value, list | tuple | set | frozenset):
            inside = value if isinstance(value, list | tuple) else sorted(value, key=repr)
        else:
            slots = [name for cls in type(value).__mro__ for name in _slots(cls)]
            inside = [getattr(value, name, None) for name in (*getattr(value, "__dict__", ()), *slots)]
        for each in inside:
            yield from _in_settings(each, depth + 1)


def _slots(cls: type) -> tuple[str, ...]:
    slots: Any = cls.__dict__.get("__slots__", ())
    return (slots,) if isinstance(slots, str) else tuple(slots)


def _in_code(cls: type) -> Iterator[str]:
    for name, member in vars(cls).items():
        if inspect.isfunction(member) and not name.startswith("__"):  # attrs writes such methods itself
            yield from _constants(member.__code__, member.__doc__)


def _constants(code: CodeType, doc: str | None) -> Iterator[str]:
    for constant in code.co_consts:
        if isinstance(constant, str) and constant != doc:
            yield constant
        elif isinstance(constant, tuple | frozenset):
            yield from (each for each in constant if isinstance(each, str))
        elif isinstance(constant, CodeType):
            yield from _constants(constant, None)
