"""What a span and its measurements say of a request, by OpenTelemetry's conventions for generative AI.

Source of the names: open-telemetry/semantic-conventions-genai, status Development.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, TypeAlias
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from streamkit import Request

Attributes: TypeAlias = dict[str, str | int | float | bool | tuple[str, ...]]

PROVIDER: Final = "huggingface"
"""Hugging Face has no well-known value in the conventions."""

_PORTS: Final = {"http": 80, "https": 443}

_PARAMETERS: Final = {
    "max_new_tokens": "gen_ai.request.max_tokens",
    "temperature": "gen_ai.request.temperature",
    "top_p": "gen_ai.request.top_p",
    "top_k": "gen_ai.request.top_k",
    "seed": "gen_ai.request.seed",
    "frequency_penalty": "gen_ai.request.frequency_penalty",
    "presence_penalty": "gen_ai.request.presence_penalty",
}
"""Generation parameters by streamkit's names."""


def of_target(request: Request, source: object) -> Attributes:
    """Return what is asked of whom: the attributes that spans and measurements share.

    Args:
        request: The question.
        source: Where it goes; its model and URL are read where it has them.
    """
    attributes: Attributes = {
        "gen_ai.operation.name": "text_completion" if request.messages is None else "chat",
        "gen_ai.provider.name": PROVIDER,
    }
    model = getattr(source, "model", None)
    if isinstance(model, str):
        attributes["gen_ai.request.model"] = model
    url = getattr(source, "url", None) or getattr(source, "router", None)
    if isinstance(url, str):
        parts = urlsplit(url)
        if parts.hostname:
            attributes["server.address"] = parts.hostname
            port = parts.port or _PORTS.get(parts.scheme)
            if port:
                attributes["server.port"] = port
    return attributes


def of_source(source: object) -> Attributes:
    """Return which provider a route was asked for, where the caller chose one."""
    provider = getattr(source, "provider", None)
    return {"streamkit.provider": provider} if isinstance(provider, str) and provider != "auto" else {}


def of_request(request: Request) -> Attributes:
    """Return how the answer is to be generated; parameters that are no numbers are left out."""
    attributes: Attributes = {"gen_ai.request.stream": True}
    for name, attribute in _PARAMETERS.items():
        value = request.parameters.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool):
            attributes[attribute] = value
    if request.stop:
        attributes["gen_ai.request.stop_sequences"] = request.stop
    shape = request.parameters.get("response_format")
    if isinstance(shape, Mapping) and str(shape.get("type", "")).startswith("json"):
        attributes["gen_ai.output.type"] = "json"
    return attributes


def span_name(target: Attributes) -> str:
    """Return the operation and, where it is known, the model."""
    return " ".join(str(target[key]) for key in ("gen_ai.operation.name", "gen_ai.request.model") if key in target)


def error_type(error: BaseException) -> str:
    """Return the qualified name of an error's class."""
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
