"""From a path or from objects to a model that is ready to answer, with what its configuration says."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
from streamkit import ConfigurationError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


@attrs.frozen(kw_only=True, eq=False)
class Loaded:
    """A model ready to answer; shared by runs, and changed by none.

    Args:
        name: What messages call it.
        model: The model, in evaluation mode.
        tokenizer: Its tokenizer.
        eos_ids: Tokens that end an answer, from the model's generation config, or else the tokenizer's.
        special_ids: Control tokens of the vocabulary.
        context: How many tokens the prompt and the answer may have together, where the model says so.
    """

    name: str
    model: Any
    tokenizer: PreTrainedTokenizerBase
    eos_ids: tuple[int, ...]
    special_ids: frozenset[int]
    context: int | None

    def text_of(self, token_id: int) -> str:
        """Return the text of one token by itself; that of a special token exactly as the vocabulary has it."""
        if token_id in self.special_ids:
            return str(self.tokenizer.convert_ids_to_tokens(token_id))
        return str(self.tokenizer.decode([token_id]))


def load(
    name: str,
    tokenizer: str | PathLike[str] | PreTrainedTokenizerBase | None,
    *,
    device: str,
    dtype: str,
    revision: str | None,
    trust_remote_code: bool,
    model_options: Mapping[str, Any],
) -> Loaded:
    """Load a model and its tokenizer; the arguments are those of `TransformersModel`.

    Raises:
        ConfigurationError: One of them cannot be loaded, or the device or the dtype does not exist.
    """
    from transformers import AutoModelForCausalLM, AutoTokenizer

    place = None if "device_map" in model_options else _device(device)
    weights = _dtype(dtype)
    path = _where(name)
    if tokenizer is None or isinstance(tokenizer, str | PathLike):
        tokenizer = path if tokenizer is None else _where(str(tokenizer))
    origin = {"revision": revision, "trust_remote_code": trust_remote_code}
    try:
        if isinstance(tokenizer, str):
            tokenizer = AutoTokenizer.from_pretrained(tokenizer, **origin)
        model = AutoModelForCausalLM.from_pretrained(path, dtype=weights, **origin, **model_options)
        if place is not None:
            model = model.to(place)
    except (OSError, ValueError, TypeError, ImportError, RuntimeError) as error:
        raise ConfigurationError(
            f"the model {name!r} could not be loaded: {_first_line(error)} (pass a directory that save_pretrained() "
            "wrote, or the name of a causal language model on the Hub)"
        ) from error
    return adopt(model, tokenizer, name)


def adopt(model: Any, tokenizer: Any, name: str | None = None) -> Loaded:
    """Take a loaded model as it is.

    Raises:
        ConfigurationError: It is none that can answer.
    """
    if not (hasattr(model, "generate") and hasattr(model, "config") and hasattr(tokenizer, "decode")):
        raise ConfigurationError(
            f"a {type(model).__name__} and a {type(tokenizer).__name__} are not a model and a tokenizer of transformers"
        )
    called: str = name or model.config.name_or_path or type(model).__name__
    if model.config.is_encoder_decoder:
        raise ConfigurationError(f"the model {called!r} has an encoder: only causal language models continue a text")
    if model.training:
        raise ConfigurationError(f"the model {called!r} is in training mode, with dropout: call model.eval() first")
    eos = model.generation_config.eos_token_id
    eos = tokenizer.eos_token_id if eos is None else eos
    eos_ids = eos if isinstance(eos, list | tuple) else () if eos is None else (eos,)
    tokenizer("")  # takes back what tokenizer.json says of truncation, which a later call must not do beside others
    return Loaded(
        name=called,
        model=model,
        tokenizer=tokenizer,
        eos_ids=tuple(dict.fromkeys(eos_ids)),
        special_ids=_special_ids(tokenizer),
        context=getattr(model.config.get_text_config(), "max_position_embeddings", None),
    )


def _special_ids(tokenizer: Any) -> frozenset[int]:
    added = getattr(tokenizer, "added_tokens_decoder", {})
    return frozenset(tokenizer.all_special_ids) | {number for number, token in added.items() if token.special}


def _where(name: str) -> str:
    """Return a directory or a name on the Hub; what can only be a path must exist."""
    path = Path(name).expanduser()
    if path.is_dir():
        return str(path)
    if path.is_absolute() or name.startswith((".", "~")) or name.count("/") > 1:
        raise ConfigurationError(
            f"there is no directory {name!r}: pass one that save_pretrained() wrote, or a name on the Hub, owner/name"
        )
    return name


def _device(device: str) -> Any:
    import torch

    if device == "auto":
        return torch.accelerator.current_accelerator() if torch.accelerator.is_available() else torch.device("cpu")
    try:
        return torch.empty(0, device=device).device
    except (RuntimeError, AssertionError) as error:  # torch without CUDA raises an AssertionError
        raise ConfigurationError(
            f"no device {device!r} here: {_first_line(error)} (device='auto' takes what there is)"
        ) from error


def _dtype(dtype: str) -> Any:
    import torch

    if dtype == "auto":
        return dtype
    known = getattr(torch, dtype, None)
    if not isinstance(known, torch.dtype) or not known.is_floating_point:
        raise ConfigurationError(f"no dtype {dtype!r}: it is 'auto', 'float32', 'bfloat16' or 'float16'")
    return known


def _first_line(error: BaseException) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)
