"""The decoding loop, one forward pass at a time.

`generate` prepares everything (the model's defaults, the checks of parameters, the cache, the processors of scores, the
criteria of stopping) and hands it to a loop of the caller's, by its argument `custom_generate`. `generate` with a
streamer in a thread would tell no log-probabilities, draw from the one random number generator of the process, and
compute ahead of its consumer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import attrs
from streamkit import ConfigurationError

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from streamkit_transformers._loading import Loaded
    from streamkit_transformers._parameters import Options


@attrs.define(eq=False)
class Loop:
    """What `generate` prepared, and the loop over forward passes that it would have run, one pass at a time."""

    _model: Any
    _ids: Tensor
    _processors: Any
    _criteria: Any
    _sample: bool
    _generator: Generator
    _arguments: dict[str, Any]
    _first: bool = True

    @classmethod
    def start(
        cls,
        model: Any,
        input_ids: Tensor,
        *,
        logits_processor: Any,
        stopping_criteria: Any,
        generation_config: Any,
        generator: Generator,
        **model_kwargs: Any,
    ) -> Loop:
        """Take over from `generate`, which calls this as it calls its own loops."""
        sample = bool(generation_config.do_sample)
        return cls(model, input_ids, logits_processor, stopping_criteria, sample, generator, model_kwargs)

    def next(self) -> tuple[int, float, bool]:
        """Return the next token's id and log-probability, and whether a criterion ends the answer with it."""
        import torch

        with torch.no_grad():  # holds for this thread only, so it is set anew at each step
            scores = self._scores()
            if self._sample:
                chosen = torch.multinomial(scores.softmax(-1), 1, generator=self._generator)
            else:
                chosen = scores.argmax(-1, keepdim=True)
            logprob = scores.log_softmax(-1).gather(-1, chosen)
            self._ids = torch.cat([self._ids, chosen], dim=-1)
            over = self._criteria(self._ids, None)
            return int(chosen), float(logprob), bool(over.all())

    def _scores(self) -> Tensor:
        import torch

        model, arguments = self._model, self._arguments
        new = 1 if arguments.get("use_cache") and not self._first else None
        inputs = model.prepare_inputs_for_generation(
            self._ids, next_sequence_length=new, is_first_iteration=self._first, **arguments
        )
        self._first = False
        outputs = model(**inputs, return_dict=True)
        # Private by its name, but the one way to go on that suits every architecture; generate()'s own loops do so too.
        self._arguments = model._update_model_kwargs_for_generation(outputs, arguments)  # noqa: SLF001 - see above
        logits = outputs.logits[:, -1].to(copy=True, dtype=torch.float32, device=self._ids.device)
        scores: Tensor = self._processors(self._ids, logits)
        return scores


def prepare(loaded: Loaded, prompt: Sequence[int], options: Options) -> Loop:
    """Let `generate` prepare an answer; no forward pass is made.

    Args:
        loaded: The model.
        prompt: The ids to continue.
        options: The parameters.

    Raises:
        ConfigurationError: The parameters do not suit the model.
    """
    import torch

    ids = torch.tensor([prompt], device=loaded.model.device)
    try:
        loop: Loop = loaded.model.generate(
            ids,
            attention_mask=torch.ones_like(ids),
            custom_generate=Loop.start,
            generator=_random(ids.device, options.seed),
            **_arguments(loaded, len(prompt), options),
        )
    except (ValueError, TypeError) as error:
        raise ConfigurationError(f"the parameters do not suit {loaded.name!r}: {error}") from error
    return loop


def _arguments(loaded: Loaded, prompt: int, options: Options) -> dict[str, Any]:
    limit = _limit(loaded, prompt, options.generate.get("max_new_tokens"))
    return {
        **options.generate,
        **({} if limit is None else {"max_new_tokens": limit, "max_length": None}),
        "eos_token_id": list(loaded.eos_ids) or None,
        "num_beams": 1,
        "num_return_sequences": 1,
        "return_dict_in_generate": False,
        "stop_strings": None,  # read by `StopHints`: generate() cannot look for them in a loop of the caller's
    }


def _limit(loaded: Loaded, prompt: int, asked: int | None) -> int | None:
    """Return how many tokens the answer may have: as asked, or as the model says, and never beyond its context."""
    own = loaded.model.generation_config
    if asked is None:
        asked = own.max_new_tokens
    if asked is None and own.max_length is not None and own.max_length > prompt:
        asked = own.max_length - prompt
    room = None if loaded.context is None else loaded.context - prompt
    return min((limit for limit in (asked, room) if limit is not None), default=None)


def _random(device: Any, seed: int | None) -> Generator:
    import torch

    generator = torch.Generator(device)
    if seed is None:
        generator.seed()
    else:
        generator.manual_seed(seed)
    return generator
