"""The source: a recipe that loads its model once and runs any number of answers on it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, closing, contextmanager
from os import PathLike
from threading import Lock
from typing import TYPE_CHECKING, Any

import attrs
from streamkit import Batch, Composable, ConfigurationError, Request

from streamkit_transformers._generation import Generation
from streamkit_transformers._loading import Loaded, adopt, load

if TYPE_CHECKING:
    from anyio import CapacityLimiter
    from transformers import PreTrainedModel, PreTrainedTokenizerBase
else:
    PreTrainedModel = PreTrainedTokenizerBase = Any  # annotations are read at run time, when transformers is not loaded


@attrs.frozen
class TransformersModel(Composable):
    """A causal language model in this process.

    1. Each step is one forward pass and gives one token; the next token is computed when the consumer asks for it, so
       a slow consumer slows the model down and a consumer that leaves has cost not one token more.
    2. Synchronously, the steps run in the caller's own thread. Asynchronously, on asyncio and trio, each runs in a
       worker thread. A run that is cancelled ends with the forward pass at hand: nothing computes after the end of its
       `async with` block.
    3. Any number of runs share one model. Each has its own cache and its own random numbers, so a seed gives the same
       answer whatever runs beside it.
    4. The weights are loaded once, by the first run or by `load()`.

    Generation parameters that a run does not name are those of the model's own generation config; without a limit
    there, the answer ends at the latest where the model's context does.

    Args:
        model: A directory, a name on the Hub, or a loaded model.
        tokenizer: A tokenizer, or where to load it from; by default it comes from where the model does.
        device: Where the model runs: `cpu`, `cuda`, `cuda:1`, `mps`, ...; `auto` for an accelerator if there is one.
            A loaded model stays where it is.
        dtype: The type of the weights: `float32`, `bfloat16`, `float16`; `auto` for that of the checkpoint.
        revision: A branch, tag or commit on the Hub.
        trust_remote_code: Whether to run code that comes with the model.
        model_options: Further arguments of the model's `from_pretrained`, such as `attn_implementation`.

    Raises:
        ConfigurationError: A loaded model comes without its tokenizer, or with options for loading one.
    """

    model: str | PathLike[str] | PreTrainedModel
    tokenizer: str | PathLike[str] | PreTrainedTokenizerBase | None = attrs.field(default=None, repr=False)
    device: str = attrs.field(default="auto", kw_only=True)
    dtype: str = attrs.field(default="auto", kw_only=True)
    revision: str | None = attrs.field(default=None, kw_only=True)
    trust_remote_code: bool = attrs.field(default=False, kw_only=True)
    model_options: Mapping[str, Any] = attrs.field(factory=dict, kw_only=True)
    _kept: list[Loaded] = attrs.field(factory=list, init=False, repr=False, eq=False)
    _loading: Lock = attrs.field(factory=Lock, init=False, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        if isinstance(self.model, str | PathLike):
            return
        if self.tokenizer is None:
            raise ConfigurationError("a loaded model needs its tokenizer: write TransformersModel(model, tokenizer)")
        options = (self.device, self.dtype, self.revision, self.trust_remote_code, dict(self.model_options))
        if options != ("auto", "auto", None, False, {}):
            raise ConfigurationError(
                "the model is loaded already, and device, dtype, revision, trust_remote_code and model_options say how "
                "to load one: pass a path instead, or leave them out"
            )

    @property
    def eos(self) -> tuple[str, ...]:
        """The texts of the tokens that end an answer, for `ScrubEos`; reading them loads the model."""
        loaded = self._ready()
        return tuple(map(loaded.text_of, loaded.eos_ids))

    def load(self) -> None:
        """Load the model now rather than in the first run.

        Raises:
            ConfigurationError: It cannot be loaded.
        """
        self._ready()

    @contextmanager
    def open(self, request: Request) -> Iterator[Iterator[Batch]]:
        """Ask the question; see `Source.open`."""
        with closing(Generation(self._ready(), request)) as generation:
            yield iter(generation.step, ())

    @asynccontextmanager
    async def aopen(self, request: Request) -> AsyncIterator[AsyncIterator[Batch]]:
        """Ask the question; see `AsyncSource.aopen`."""
        from anyio import CancelScope, CapacityLimiter, to_thread

        loaded = await to_thread.run_sync(self._ready, abandon_on_cancel=True)
        limiter = CapacityLimiter(1)  # its own: neither waits for the other users of the thread pool nor crowds them
        generation = await to_thread.run_sync(Generation, loaded, request, limiter=limiter)
        try:
            yield _Steps(generation, limiter)
        finally:
            with CancelScope(shield=True):  # a pass in flight is waited for, in a thread as it was started
                await to_thread.run_sync(generation.close, limiter=limiter)

    def _ready(self) -> Loaded:
        with self._loading:
            if not self._kept:
                self._kept.append(self._load())
            return self._kept[0]

    def _load(self) -> Loaded:
        if isinstance(self.model, str | PathLike):
            return load(
                str(self.model),
                self.tokenizer,
                device=self.device,
                dtype=self.dtype,
                revision=self.revision,
                trust_remote_code=self.trust_remote_code,
                model_options=self.model_options,
            )
        return adopt(self.model, self.tokenizer)


class _Steps(AsyncIterator[Batch]):
    """One step after the other, each in a worker thread. Not an async generator: see `AsyncStream`."""

    __slots__ = ("_generation", "_limiter")

    def __init__(self, generation: Generation, limiter: CapacityLimiter) -> None:
        self._generation = generation
        self._limiter = limiter

    async def __anext__(self) -> Batch:
        from anyio import to_thread

        batch = await to_thread.run_sync(self._generation.step, limiter=self._limiter)
        if not batch:
            raise StopAsyncIteration
        return batch
