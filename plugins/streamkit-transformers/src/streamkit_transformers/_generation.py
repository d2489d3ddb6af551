"""One answer, token by token: from ids to events."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Lock
from typing import TYPE_CHECKING

from streamkit import Batch, Finish, GenerationError, Request, Token, Usage

from streamkit_transformers._loop import Loop, prepare
from streamkit_transformers._parameters import translate
from streamkit_transformers._prompt import encode
from streamkit_transformers._stops import StopHints
from streamkit_transformers._text import IncrementalText

if TYPE_CHECKING:
    from streamkit_transformers._loading import Loaded


class Generation:
    """The state of one answer. It is used by one run, but not always by the same thread.

    1. `step` computes one token; the last batch ends with `Finish`, and after it there are only empty ones.
    2. `close` waits for a step that another thread is in, and frees the cache; no step computes after it.

    Args:
        loaded: The model.
        request: The question.

    Raises:
        ConfigurationError: The request cannot be put to this model.
    """

    __slots__ = ("_count", "_loaded", "_lock", "_loop", "_prompt", "_stops", "_text")

    def __init__(self, loaded: Loaded, request: Request) -> None:
        options = translate(request.parameters)
        prompt = encode(request, options.template, loaded)
        self._loaded = loaded
        self._prompt = len(prompt)
        self._count = 0
        self._text = IncrementalText(loaded.tokenizer, prompt)
        self._stops = StopHints((*request.stop, *_own_stops(loaded)))
        self._loop: Loop | None = prepare(loaded, prompt, options)
        self._lock = Lock()

    def step(self) -> Batch:
        """Compute the next token.

        Returns:
            Its events; none once the answer has ended or was closed.

        Raises:
            GenerationError: The model raised.
        """
        with self._lock:
            if self._loop is None:
                return ()
            try:
                token_id, logprob, over = self._loop.next()
            except Exception as error:
                reason = f"{type(error).__name__}: {error}"
                raise GenerationError(
                    f"the model {self._loaded.name!r} failed after {self._count} tokens: {reason}",
                    kind="generation",
                ) from error
            self._count += 1
            return self._read(token_id, logprob, over=over)

    def close(self) -> None:
        """End the answer where it is."""
        with self._lock:
            self._loop = None

    def _read(self, token_id: int, logprob: float, *, over: bool) -> Batch:
        events: list[Token | Finish] = []
        ended = token_id in self._loaded.eos_ids
        stop = None
        if token_id in self._loaded.special_ids:
            rest = self._text.flush()
            if rest:
                events.append(Token(rest, cont=True))
            events.append(Token(self._loaded.text_of(token_id), token_id, logprob, special=True))
            self._text.skip(token_id)
        else:
            text = self._text.push(token_id)
            stop = self._stops.find(text)
            over = over or ended or stop is not None
            events.append(Token(text + self._text.flush() if over else text, token_id, logprob))
        if over or ended:
            self._loop = None
            events.append(self._finish(stop, ended=ended))
        return events

    def _finish(self, stop: str | None, *, ended: bool) -> Finish:
        return Finish(
            reason="eos_token" if ended else "length" if stop is None else "stop_sequence",
            stop=None if ended else stop,
            usage=Usage(
                prompt_tokens=self._prompt, completion_tokens=self._count, total_tokens=self._prompt + self._count
            ),
        )


def _own_stops(loaded: Loaded) -> Sequence[str]:
    """Return the stop strings of the model's generation config."""
    own = getattr(loaded.model.generation_config, "stop_strings", None) or ()
    return (own,) if isinstance(own, str) else tuple(own)
