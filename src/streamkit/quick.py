"""The one-liner: a model's answer as clean text, with the recommended chain."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal

from streamkit.drivers.asynchronous import AsyncStream
from streamkit.drivers.sync import Stream
from streamkit.pipeline import Pipeline
from streamkit.request import Message
from streamkit.sources import Serverless
from streamkit.sources.endpoint import endpoint_known_lately
from streamkit.transforms import recommended_transforms


def stream(
    question: str | Sequence[Message],
    model: str,
    *,
    stop: str | Iterable[str] = (),
    token: str | Literal[False] | None = None,
    **parameters: Any,
) -> Stream:
    """Ask a model; the stream gives its clean answer piece by piece, inside a `with` block.

    What is found out about a server is believed for up to five minutes, so that a second question to it is one request.

    Args:
        question: A prompt, or a list of messages.
        model: The URL of a server, or a model's id on the Hub.
        stop: Sequences that end the answer; they are cut exactly, wherever the tokens split them.
        token: A token for this server; see `Endpoint`.
        parameters: Generation parameters by TGI's names: `max_new_tokens`, `temperature`, ...

    Returns:
        The stream; nothing is sent before it is iterated.

    Raises:
        ConfigurationError: The request cannot be put.
    """
    return _pipeline(model, stop, token).stream(question, **parameters)


def astream(
    question: str | Sequence[Message],
    model: str,
    *,
    stop: str | Iterable[str] = (),
    token: str | Literal[False] | None = None,
    **parameters: Any,
) -> AsyncStream:
    """Ask a model: the asynchronous twin of `stream`."""
    return _pipeline(model, stop, token).astream(question, **parameters)


def _pipeline(model: str, stop: str | Iterable[str], token: str | Literal[False] | None) -> Pipeline:
    source = endpoint_known_lately(model, token=token) if "://" in model else Serverless(model, token=token)
    return source | recommended_transforms(stop=stop)
