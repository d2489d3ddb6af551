"""Generation parameters: one vocabulary, TGI's, and what each dialect calls them.

Sources: TGI router/src/lib.rs (GenerateParameters), vLLM's protocol for its OpenAI server, Ollama docs/api.md
(options), llama.cpp tools/server/README.md.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any, Final

from streamkit.errors import ConfigurationError

_SHARED: Final = {name: name for name in ("temperature", "top_k", "top_p", "seed", "frequency_penalty")}
_OPENAI: Final = {
    **_SHARED,
    **{name: name for name in ("repetition_penalty", "presence_penalty", "min_p", "logit_bias", "logprobs", "user")},
    "max_new_tokens": "max_tokens",
}

NAMES: Final[Mapping[str, Mapping[str, str]]] = {
    "tgi": {
        **_SHARED,
        **{
            name: name
            for name in (
                "max_new_tokens",
                "repetition_penalty",
                "typical_p",
                "do_sample",
                "truncate",
                "watermark",
                "top_n_tokens",
                "grammar",
                "adapter_id",
            )
        },
    },
    "completions": _OPENAI,
    "chat": {
        **_OPENAI,
        **{
            name: name
            for name in (
                "top_logprobs",
                "tools",
                "tool_choice",
                "parallel_tool_calls",
                "response_format",
                "reasoning_effort",
                "chat_template_kwargs",
            )
        },
    },
    "ollama": {
        **_SHARED,
        **{name: name for name in ("presence_penalty", "min_p", "typical_p", "tools")},
        "max_new_tokens": "num_predict",
        "repetition_penalty": "repeat_penalty",
    },
}
_KNOWN: Final = sorted({name for names in NAMES.values() for name in names} | {"extra"})
_ELSEWHERE: Final = {
    "max_tokens": "max_new_tokens",
    "max_completion_tokens": "max_new_tokens",
    "num_predict": "max_new_tokens",
    "repeat_penalty": "repetition_penalty",
    "stop_sequences": "a StopSequences transform",
}
_REFUSED: Final = {
    "n": "one run is one answer: start several runs",
    "best_of": "a stream cannot choose among answers afterwards",
    "stream": "every run streams",
    "details": "details are always asked for",
    "decoder_input_details": "TGI does not send them in a stream",
    "return_full_text": "a stream never repeats the prompt",
}


def check(parameters: Mapping[str, Any], *dialects: str) -> None:
    """Refuse generation parameters that cannot be put in any of some dialects.

    Args:
        parameters: By TGI's names; `extra` is a mapping of fields that an engine alone knows.
        dialects: Keys of `NAMES`.

    Raises:
        ConfigurationError: A name is unknown, or unknown to these dialects, or `extra` is no mapping.
    """
    for name, value in parameters.items():
        if name == "extra":
            if not isinstance(value, Mapping):
                raise ConfigurationError(f"extra is {value!r}: pass a mapping of the engine's own fields")
        elif not any(name in NAMES[dialect] for dialect in dialects):
            raise ConfigurationError(_complaint(name, dialects))


def translate(parameters: Mapping[str, Any], dialect: str) -> dict[str, Any]:
    """Rename generation parameters for a dialect.

    Args:
        parameters: By TGI's names; `None` values are left out, and the fields of `extra` are sent as they are beside
            the others.
        dialect: A key of `NAMES`.

    Returns:
        The parameters by the dialect's names.

    Raises:
        ConfigurationError: See `check`.
    """
    check(parameters, dialect)
    body: dict[str, Any] = {}
    for name, value in parameters.items():
        if name == "extra":
            body.update(value)
        elif value is not None:
            body[NAMES[dialect][name]] = value
    if dialect == "tgi" and body.get("temperature") == 0:
        del body["temperature"]  # "always the likeliest token", which TGI does unless told otherwise; it refuses zero
    return body


def _complaint(name: str, dialects: Iterable[str]) -> str:
    if name in _REFUSED:
        return f"{name!r} is not a parameter of a stream: {_REFUSED[name]}"
    if name in _KNOWN:
        fits = " and ".join(repr(other) for other, names in NAMES.items() if name in names)
        here = " or ".join(map(repr, dialects))
        return f"{name!r} is a parameter of {fits}, and this request goes to {here}: leave it out"
    if name in _ELSEWHERE:
        return f"unknown parameter {name!r}: it is called {_ELSEWHERE[name]} here"
    near = difflib.get_close_matches(name, _KNOWN, 1)
    hint = f"did you mean {near[0]!r}?" if near else "fields that only one engine knows go into extra={...}"
    return f"unknown parameter {name!r}: {hint}"
