"""Take out end-of-sequence marks that arrive as text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import attrs

from streamkit.errors import ConfigurationError
from streamkit.events import Event, Token
from streamkit.protocols import Machine, WatchfulMachine
from streamkit.transforms._balance import Balance
from streamkit.transforms._channels import ByChannel
from streamkit.transforms._cut import Cut
from streamkit.transforms._excise import Excise
from streamkit.transforms._final_run import FinalRun
from streamkit.transforms._held import hidden
from streamkit.transforms._matcher import matcher, words_of

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


def _marks(eos: str | Iterable[str]) -> tuple[str, ...]:
    return words_of((eos,), "an end-of-sequence mark")


def _pairs(balanced: Mapping[str, str] | Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    pairs: Any = balanced.items() if isinstance(balanced, Mapping) else balanced
    try:
        return tuple((mark, opener) for mark, opener in pairs)
    except (TypeError, ValueError):
        raise ConfigurationError(
            f'balanced maps end marks to opening tags, such as {{"</s>": "<s>"}}: it cannot be {balanced!r}'
        ) from None


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
    5. With `balanced`, mode `"end"` keeps a mark that closes a tag of the text: `<s>old</s>` is HTML to the end. A
       mark is kept while more of its opening tags than of its own kind have come, special tokens not counted.
    6. A special token is one mark or none: marks are not sought inside its text, and one that is no mark does not
       disturb a mark around it, unless there are more than 1,024. A removed one stays in the stream, hidden, except
       that a cut drops its mark; one that an earlier transform has hidden is the same mark.
    7. Costs constant time for each character.

    Each channel is read by itself.

    Args:
        eos: The marks, best those of the model at hand.
        mode: `"end"`, `"cut"` or `"all"`.
        balanced: For marks that are also closing tags, the opening tag: `{"</s>": "<s>"}`.

    Raises:
        ConfigurationError: A mark or a tag is empty or not a string, the mode is none of the three, or `balanced` names
            something else than a mark or comes with another mode than `"end"`.
    """

    eos: tuple[str, ...] = attrs.field(default=DEFAULT_EOS, converter=_marks)
    mode: Literal["end", "cut", "all"] = "end"
    balanced: tuple[tuple[str, str], ...] = attrs.field(default=(), converter=_pairs, kw_only=True)

    def __attrs_post_init__(self) -> None:
        if self.mode not in {"end", "cut", "all"}:
            raise ConfigurationError(f'the mode of ScrubEos is "end", "cut" or "all", not {self.mode!r}')
        if self.balanced and self.mode != "end":
            raise ConfigurationError(f'balanced tags are kept by the mode "end" alone, not by {self.mode!r}')
        for mark, opener in self.balanced:
            words_of((opener,), "an opening tag")
            if mark not in self.eos:
                raise ConfigurationError(
                    f"balanced names {mark!r}, which is no end mark: add it to eos, or leave it out"
                )

    def start(self) -> Machine:
        """Return the machine of a new run."""
        return ByChannel(self._start)

    def _start(self, channel: str) -> WatchfulMachine:
        if self.mode == "end":
            return FinalRun(matcher(self.eos, prune=False), Balance(dict(self.balanced)))
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
