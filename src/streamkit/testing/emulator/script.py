"""What the emulated model says: tokens written down by a test, or a model's own."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Protocol, TypeAlias

import attrs

from streamkit.errors import ConfigurationError

if TYPE_CHECKING:
    from streamkit.testing.emulator.seen import SeenRequest

VOCABULARY = 32_000
"""Size of the pretended vocabulary; ids of scripted tokens fall below it."""


class Gate(Protocol):
    """What a token can wait for; `threading.Event` fits."""

    def is_set(self) -> bool:
        """Whether the token may go."""
        ...


@attrs.frozen
class ScriptedToken:
    """One token of a script.

    A special token that ends its script is the model's end-of-sequence token; elsewhere it is an ordinary special
    token in the middle of a stream.

    Args:
        text: The token's text, specials included, as a tokenizer would decode it.
        special: True for a control token of the vocabulary.
        id: Its number in the vocabulary; derived from the text when `None`, so equal texts have equal ids.
        logprob: Natural logarithm of its probability; -0.5 when `None`.
        delay: Seconds before this token, instead of the endpoint's `pace`.
        gate: An event that must be set before the token is sent. It is looked at every few milliseconds.
    """

    text: str
    special: bool = False
    id: int | None = None
    logprob: float | None = None
    delay: float | None = None
    gate: Gate | None = attrs.field(default=None, kw_only=True)


Line: TypeAlias = str | ScriptedToken
"""One entry of a script; a string is a token without any extras."""

Script: TypeAlias = Sequence[Line] | Callable[["SeenRequest"], Iterable[Line]]
"""Tokens played for every request, or a function that writes them for one."""


def read_script(lines: Iterable[Line]) -> Iterator[ScriptedToken]:
    """Yield the tokens of a script, each with an id and a log probability.

    Args:
        lines: The script's entries; read one by one, so an endless generator is fine.

    Yields:
        Complete tokens.

    Raises:
        ConfigurationError: The script is one string, which would be played letter by letter, or is empty.
    """
    if isinstance(lines, str):
        raise ConfigurationError('a script is a list of tokens, not one string: script=["Hello", " world"]')
    empty = True
    for line in lines:
        empty = False
        yield _complete(line if isinstance(line, ScriptedToken) else ScriptedToken(line))
    if empty:
        raise ConfigurationError("an empty script cannot be played: engines end every answer with a token")


def _complete(token: ScriptedToken) -> ScriptedToken:
    if token.id is not None and token.logprob is not None:
        return token
    return attrs.evolve(
        token,
        id=zlib.crc32(token.text.encode()) % VOCABULARY if token.id is None else token.id,
        logprob=-0.5 if token.logprob is None else token.logprob,
    )
