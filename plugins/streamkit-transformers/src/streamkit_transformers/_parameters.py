"""Generation parameters by streamkit's names, as arguments of `generate`.

Source: transformers' GenerationConfig, which has the same names.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any, Final

import attrs
from streamkit import ConfigurationError

_SAMPLING: Final = ("temperature", "top_k", "top_p", "typical_p", "min_p")
_SAME: Final = (*_SAMPLING, "do_sample", "max_new_tokens", "repetition_penalty")
_OURS: Final = ("seed", "chat_template_kwargs", "extra")
_KNOWN: Final = (*_SAME, *_OURS)
_ELSEWHERE: Final = {
    "max_tokens": "max_new_tokens",
    "max_completion_tokens": "max_new_tokens",
    "max_length": "max_new_tokens",
    "num_predict": "max_new_tokens",
    "repeat_penalty": "repetition_penalty",
    "stop_sequences": "a StopSequences transform",
    "stop_strings": "a StopSequences transform",
}
_FIXED: Final = (
    "attention_mask",
    "custom_generate",
    "eos_token_id",
    "inputs",
    "input_ids",
    "max_length",
    "num_beams",
    "num_return_sequences",
    "stop_strings",
    "streamer",
)
"""Arguments of `generate` that this source sets itself."""


@attrs.frozen(kw_only=True)
class Options:
    """The parameters of one run, sorted by who reads them.

    Args:
        generate: Arguments of `generate`.
        seed: Where the random numbers start; `None` for anywhere.
        template: Arguments of the chat template.
    """

    generate: Mapping[str, Any]
    seed: int | None
    template: Mapping[str, Any]


def translate(parameters: Mapping[str, Any]) -> Options:
    """Sort the parameters of a request; `None` values are left out.

    As with Text Generation Inference, a parameter that shapes sampling turns it on; a temperature of 0 turns it off.

    Args:
        parameters: By streamkit's names; `extra` is a mapping of further arguments of `generate`, and
            `chat_template_kwargs` one for the chat template.

    Raises:
        ConfigurationError: A name is unknown, or a value is of the wrong kind.
    """
    given = {name: value for name, value in parameters.items() if value is not None}
    extra = given.get("extra", {})
    _check(parameters, given, extra)
    generate = {name: given[name] for name in _SAME if name in given}
    if generate.get("temperature") == 0:
        del generate["temperature"]
        generate["do_sample"] = False
    if any(name in generate for name in _SAMPLING):
        generate.setdefault("do_sample", True)
    return Options(generate=generate | extra, seed=given.get("seed"), template=given.get("chat_template_kwargs", {}))


def _check(parameters: Mapping[str, Any], given: Mapping[str, Any], extra: Any) -> None:
    for name in parameters:
        if name not in _KNOWN:
            raise ConfigurationError(_complaint(name))
    for name in ("seed", "max_new_tokens"):
        if type(given.get(name, 1)) is not int:
            raise ConfigurationError(f"{name} is {given[name]!r}: it is a whole number")
    if given.get("max_new_tokens", 1) < 1:
        raise ConfigurationError(f"max_new_tokens is {given['max_new_tokens']}: an answer has at least one token")
    for name in ("extra", "chat_template_kwargs"):
        if not isinstance(given.get(name, {}), Mapping):
            raise ConfigurationError(f"{name} is {given[name]!r}: it is a mapping of names to values")
    for name in extra:
        if name in _FIXED or name in _KNOWN:
            raise ConfigurationError(f"{name!r} cannot be in extra: the source sets it, or it is a parameter by itself")


def _complaint(name: str) -> str:
    if name in _ELSEWHERE:
        return f"unknown parameter {name!r}: it is called {_ELSEWHERE[name]} here"
    near = difflib.get_close_matches(name, _KNOWN, 1)
    hint = f"did you mean {near[0]!r}?" if near else "arguments that only generate() knows go into extra={...}"
    return f"unknown parameter {name!r}: {hint}"
