"""From token ids to text, one token at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

CONTEXT: Final = 8
"""Tokens of the prompt that the first token is read with."""

PATIENCE: Final = 32
"""Tokens after which bytes that form no character are shown as what they are."""

_REPLACEMENT: Final = "\ufffd"


class IncrementalText:
    """The text that each token adds, for any tokenizer.

    A token is decoded together with those before it, since tokenizers read tokens by their neighbours: a leading
    space is dropped at the start of a text, and a character may be cut between tokens.

    1. Holds back U+FFFD at the end, which stands for a character not yet complete; a token that completes none has
       the text "".
    2. Releases it with the token that completes it; after 32 tokens without a whole character, or at `flush`, as it
       is.
    3. Costs decoding a few tokens for each token, however long the text.

    Args:
        tokenizer: The tokenizer.
        prompt: The ids before the first token.
    """

    __slots__ = ("_known", "_shown", "_tokenizer", "_window")

    def __init__(self, tokenizer: PreTrainedTokenizerBase, prompt: Sequence[int]) -> None:
        self._tokenizer = tokenizer
        self._shown = 0  # characters of the window's text that have left
        self._begin(prompt[-CONTEXT:])

    def push(self, token_id: int) -> str:
        """Return the text that a token adds."""
        self._window.append(token_id)
        text = self._text()
        patient = len(self._window) - self._known <= PATIENCE
        ready = text.rstrip(_REPLACEMENT) if patient else text
        new = ready[self._shown :]
        self._shown = max(self._shown, len(ready))
        if len(ready) == len(text):
            self._begin(self._window[self._known :])
        return new

    def flush(self) -> str:
        """Return what was held back."""
        rest = self._text()[self._shown :]
        self._shown += len(rest)
        return rest

    def skip(self, token_id: int) -> None:
        """Go on behind a special token, whose text comes from elsewhere."""
        self._begin((token_id,))

    def _begin(self, window: Sequence[int]) -> None:
        self._window = list(window)
        self._known = len(self._window)  # tokens that are only there to read the others by
        self._shown = len(self._text())

    def _text(self) -> str:
        return str(self._tokenizer.decode(self._window, clean_up_tokenization_spaces=False))
