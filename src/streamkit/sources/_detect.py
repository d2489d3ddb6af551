"""What a server speaks and serves, from one cheap request: `GET /v1/models`, or `GET /info` of an older TGI.

The signs are those of the engines' own sources: TGI names the model as its own owner (router/src/server.rs,
`owned_by: info.model_id`); vLLM, SGLang, llama.cpp and Ollama put their own or another name there. A server without
the route is a TGI before 2.3 or the Hugging Face inference toolkit, which speak TGI's native API. The first has a
Messages API, too, whose requests name the model.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, Final, Literal

import attrs
import msgspec

from streamkit.errors import ConfigurationError, FormatError, RequestError
from streamkit.sources._answers import Answer, place, refusal
from streamkit.sources._credentials import Secret
from streamkit.sources._dialects import Dialect

KEPT: Final = 300
"""For how long one-liners believe what an earlier one found out about a server, in seconds."""


@attrs.frozen(kw_only=True)
class Server:
    """What is known of a server.

    Args:
        dialect: How prompts are asked there.
        models: The models it serves, where it says so.
    """

    dialect: Dialect
    models: tuple[str, ...] = ()


class Known:
    """What has been found out about a server, for whoever asks it next.

    Attributes:
        server: What it is; `None` while nobody has asked.
    """

    __slots__ = ("server",)

    def __init__(self) -> None:
        self.server: Server | None = None

    @contextmanager
    def believed(self) -> Iterator[None]:
        """Forget it if a question to the server finds no such route or model: another may run there by now."""
        try:
            yield
        except RequestError as error:
            if error.status in (404, 405):
                self.server = None
            raise


def known_lately(url: str, token: Secret | Literal[False] | None) -> Known:
    """Return what this process has found out about a server within the last `KEPT` seconds.

    Args:
        url: The server's.
        token: Who asks, because a server may list each caller's own models. Only the hash is kept, from which nobody
            gets the token back.
    """
    return _kept(url, hash(token), int(time.monotonic() // KEPT))


@lru_cache(maxsize=64)
def _kept(url: str, token_hash: int, period: int) -> Known:  # noqa: ARG001 - they are the key
    return Known()


class _Model(msgspec.Struct):
    id: str = ""
    owned_by: Any = None


class _Models(msgspec.Struct):
    data: list[_Model]


class _Info(msgspec.Struct):
    model_id: str = ""


def recognise(answer: Answer, url: str, secrets: Sequence[str]) -> Server:
    """Read the answer to `GET /v1/models`.

    Args:
        answer: The answer.
        url: Where it was asked.
        secrets: What must not be echoed.

    Returns:
        What the server speaks; TGI's native API when it has no such route.

    Raises:
        SourceError: The server refused the token, or cannot answer now.
        FormatError: The answer is no list of models.
    """
    if answer.status in (401, 403, 408, 429) or answer.status >= 500:
        raise refusal(answer.status, answer.headers, answer.body, url, secrets)
    if answer.status != 200:
        return Server(dialect="tgi")
    try:
        models = msgspec.json.decode(answer.body, type=_Models).data
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise FormatError(
            f"{place(url)} answered with something that is not a list of models: is the URL an inference endpoint?"
        ) from None
    tgi = any(model.id and model.owned_by == model.id for model in models)
    return Server(dialect="tgi" if tgi else "completions", models=tuple(model.id for model in models if model.id))


def introduced(answer: Answer) -> Server:
    """Read the answer of a server without `GET /v1/models` to `GET /info`, where TGI names its model."""
    try:
        name = msgspec.json.decode(answer.body, type=_Info).model_id if answer.status == 200 else ""
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        name = ""
    return Server(dialect="tgi", models=(name,) if name else ())


def choose(models: tuple[str, ...], url: str) -> str:
    """Return the one model that a server serves.

    Raises:
        ConfigurationError: It serves none or several, so the caller must say which.
    """
    if len(models) == 1:
        return models[0]
    served = (
        f"several models ({', '.join(models[:5])}{', ...' if len(models) > 5 else ''})"
        if models
        else "no model by name"
    )
    raise ConfigurationError(f"{place(url)} serves {served}: say which with model=...")
