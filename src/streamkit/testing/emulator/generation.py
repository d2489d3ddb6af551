"""When a generation ends: the stopping rules of two families of engines, as pure functions of a token stream."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, TypeAlias

import attrs

from streamkit.testing.emulator.script import ScriptedToken

Reason: TypeAlias = Literal["length", "eos_token", "stop_sequence"]
"""Why a generation ended, by TGI's names."""


@attrs.frozen
class Ending:
    """Why a generation ended, and all it said.

    Args:
        reason: TGI's name for the reason; dialects translate it.
        text: The whole answer without special tokens.
        stop: The stop string that ended it, if one did.
    """

    reason: Reason
    text: str
    stop: str | None = None


@attrs.frozen(kw_only=True)
class Step:
    """One forward pass of the model: a token, and the text that becomes visible with it.

    Args:
        token: The token generated.
        index: Its number in the answer, from 1.
        text: Text that may be sent now; differs from `token.text` where an engine withholds.
        choice: Which of several answers it belongs to.
        ending: Set on the last step.
    """

    token: ScriptedToken
    index: int
    text: str
    choice: int = 0
    ending: Ending | None = None


def stops_in_text(tokens: Iterable[ScriptedToken], limit: int, stop: Sequence[str], choice: int = 0) -> Iterator[Step]:
    """Generate as TGI does, with the stop text in the output.

    1. The token limit is tested first, so an end-of-sequence token on the last step ends by `length`.
    2. Then end-of-sequence, then the stop strings.
    3. A stop string counts only when the text ends with it at the end of a token, or one newline later: the test is
       the regular expression of the string and `$` (`StoppingCriteria` in TGI's `utils/tokens.py`).
    4. Only about the last 300 characters are looked at, specials included.

    A script that runs out without an end-of-sequence token ends by `length`.

    Args:
        tokens: What the model would say if it were not stopped.
        limit: Most tokens to generate.
        stop: Stop strings.
        choice: Which of several answers this is.

    Yields:
        The steps, the last one with its ending.
    """
    said: list[str] = []
    tail = ""
    for index, (token, last) in enumerate(_mark_last(tokens), 1):
        tail += token.text
        if len(tail) > 300:
            tail = tail[-200:]
        if not token.special:
            said.append(token.text)
        hit = next((each for each in stop if tail.endswith((each, each + "\n"))), None)
        reason: Reason | None = None
        if index >= limit:
            reason, hit = "length", None
        elif last and token.special:
            reason, hit = "eos_token", None
        elif hit is not None:
            reason = "stop_sequence"
        elif last:
            reason = "length"
        ending = Ending(reason, "".join(said), hit) if reason else None
        yield Step(token=token, index=index, text=token.text, choice=choice, ending=ending)
        if ending:
            return


def stops_withheld(tokens: Iterable[ScriptedToken], limit: int, stop: Sequence[str], choice: int = 0) -> Iterator[Step]:
    """Generate as vLLM, OpenAI's own service and Ollama do, without the stop text in the output.

    1. A stop string counts wherever it appears, inside a token too; of several, the first in the list wins.
    2. Text is held back while it could be the start of a stop string: as many characters as the longest has, less
       one (vLLM's `stop_buffer_length`).
    3. A stop string goes before end-of-sequence, and that before the token limit.
    4. Special tokens have no text.

    Args:
        tokens: What the model would say if it were not stopped.
        limit: Most tokens to generate.
        stop: Stop strings.
        choice: Which of several answers this is.

    Yields:
        The steps, the last one with its ending.
    """
    held_back = max((len(each) - 1 for each in stop), default=0)
    said = ""
    sent = 0
    for index, (token, last) in enumerate(_mark_last(tokens), 1):
        unsearched = max(0, len(said) - held_back)
        said += "" if token.special else token.text
        hit = next((each for each in stop if said.find(each, unsearched) >= 0), None)
        reason: Reason | None = None
        if hit is not None:
            reason = "stop_sequence"
            said = said[: said.index(hit, unsearched)]
        elif last and token.special:
            reason = "eos_token"
        elif last or index >= limit:
            reason = "length"
        ready = len(said) if reason else max(sent, len(said) - held_back)
        ending = Ending(reason, said, hit) if reason else None
        yield Step(token=token, index=index, text=said[sent:ready], choice=choice, ending=ending)
        if ending:
            return
        sent = ready


def interleave(generations: Sequence[Iterator[Step]]) -> Iterator[Step]:
    """Run several generations side by side, as a batch does: one step of each in turn, until all have ended."""
    gap = object()
    for together in itertools.zip_longest(*generations, fillvalue=gap):
        yield from (step for step in together if isinstance(step, Step))


def _mark_last(tokens: Iterable[ScriptedToken]) -> Iterator[tuple[ScriptedToken, bool]]:
    ahead = iter(tokens)
    token = next(ahead, None)
    while token is not None:
        following = next(ahead, None)
        yield token, following is None
        token = following
