"""How to ask: the path, the body and the answer's format of each API.

Sources: TGI router/src/server.rs; the OpenAI API reference (chat, completions); Ollama docs/api.md.
"""

from __future__ import annotations

from typing import Any, Final, Literal, TypeAlias
from urllib.parse import urlsplit, urlunsplit

import attrs

from streamkit.errors import ConfigurationError
from streamkit.protocols import Format
from streamkit.request import Request
from streamkit.sources._calls import encode
from streamkit.sources._parameters import check, translate
from streamkit.transforms.stop_sequences import MAX_HINTS

Dialect: TypeAlias = Literal["tgi", "chat", "completions", "ollama"]
Api: TypeAlias = Literal["auto"] | Dialect

AUTO: Final[Api] = "auto"
APIS: Final = ("auto", "tgi", "chat", "completions", "ollama")

_OLLAMA_FIELDS: Final = frozenset(
    (
        *("format", "keep_alive", "logprobs", "think", "tools", "top_logprobs"),
        *("context", "images", "raw", "suffix", "system", "template"),
    )
)
"""What Ollama reads beside `options`, on one of its two routes or on both."""

_ROUTES: Final[dict[str, Dialect]] = {
    "/chat/completions": "chat",
    "/completions": "completions",
    "/generate_stream": "tgi",
    "/api/generate": "ollama",
    "/api/chat": "ollama",
}


@attrs.frozen(kw_only=True)
class Place:
    """The routes of a server, read from the URL that a user pasted.

    Args:
        native: TGI's own route: the URL itself (`/` streams when asked to) or `/generate_stream`.
        openai: The root of the OpenAI routes, `.../v1` unless the URL names another.
        server: The server's base.
        named: The dialect that the URL's path names, if it names one.
    """

    native: str
    openai: str
    server: str
    named: Dialect | None

    @classmethod
    def of(cls, url: str) -> Place:
        """Read a server's base, its `/v1`, or a full route such as `/v1/chat/completions`."""
        path = urlsplit(url).path.rstrip("/")
        for ending, dialect in _ROUTES.items():
            if path.endswith(ending):
                root = path.removesuffix(ending)
                openai = root if dialect in ("chat", "completions") else f"{root}/v1"
                server = _at(url, root.removesuffix("/v1"))
                native = _at(url, path) if dialect == "tgi" else server
                return cls(native=native, openai=_at(url, openai), server=server, named=dialect)
        server = path.removesuffix("/v1")
        openai = path if path.endswith("/v1") else f"{path}/v1"
        return cls(native=_at(url, server), openai=_at(url, openai), server=_at(url, server), named=None)


def join(base: str, path: str) -> str:
    """Append a path to a URL, keeping its query."""
    return _at(base, urlsplit(base).path.rstrip("/") + path)


def _at(url: str, path: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=path or "/", fragment=""))


@attrs.frozen(kw_only=True)
class Question:
    """An HTTP request ready to be sent, and the format of its answer.

    Args:
        url: Where to POST.
        body: The JSON body, before encoding.
        format: The format of the answer's stream.
    """

    url: str
    body: dict[str, Any] = attrs.field(repr=False)
    format: Format


def check_early(request: Request, dialect: Dialect | None) -> None:
    """Refuse what cannot be asked, before a server is asked for anything.

    Args:
        request: The question.
        dialect: How prompts are asked there; `None` while that is not known.

    Raises:
        ConfigurationError: The prompt is empty, a parameter fits no dialect that it may be, or JSON cannot say it.
    """
    if request.prompt == "":
        raise ConfigurationError("the prompt is empty: pass the text to continue, or a list of messages")
    dialects: tuple[Dialect, ...] = ("tgi", "completions") if dialect is None else (dialect,)
    check(request.parameters, *dict.fromkeys(_spoken(request, each) for each in dialects))
    extra = request.parameters.get("extra", {})
    encode({"question": request.messages or request.prompt, "parameters": {**request.parameters, "extra": {**extra}}})


def _spoken(request: Request, dialect: Dialect) -> Dialect:
    """Return the dialect of this very question."""
    return dialect if request.messages is None or dialect == "ollama" else "chat"


def ask(request: Request, place: Place, dialect: Dialect, model: str | None) -> Question:
    """Put a request in a dialect's words.

    A prompt goes to the text route of the dialect, a conversation to its chat route; where the dialect is `chat`, a
    prompt becomes one user message.

    Stop hints go where an answer is one text: to the text routes, and to TGI's chat, which splits no reasoning off.
    Other engines do, and look for stop sequences in all that the model wrote: a hint could end the run inside the
    reasoning, before its answer.

    Args:
        request: The question.
        place: The server's routes.
        dialect: How prompts are asked there.
        model: The model's name, where the server serves several.

    Returns:
        The request to send.

    Raises:
        ConfigurationError: A parameter does not fit.
    """
    stop = list(request.stop[:MAX_HINTS])
    match _spoken(request, dialect):
        case "ollama":
            return _ollama(request, place, model)
        case "tgi":
            return _tgi(request, place, stop)
        case "completions":
            return _openai(request, place, "completions", model, stop)
        case "chat":
            return _openai(request, place, "chat", model, stop if dialect == "tgi" else [])


def _tgi(request: Request, place: Place, stop: list[str]) -> Question:
    from streamkit.formats import Tgi

    # Without `details` TGI says nowhere why it stopped; `return_full_text` is true by default on `/`.
    parameters = translate(request.parameters, "tgi") | {"details": True, "return_full_text": False}
    if stop:
        parameters["stop"] = stop
    return Question(
        url=place.native,
        body={"inputs": request.prompt, "parameters": parameters, "stream": True},
        format=Tgi(full_text=False),
    )


def _openai(
    request: Request, place: Place, dialect: Literal["chat", "completions"], model: str | None, stop: list[str]
) -> Question:
    from streamkit.formats import OpenAIChat, OpenAICompletions

    body: dict[str, Any] = {"model": model, "stream_options": {"include_usage": True}}
    body |= translate(request.parameters, dialect) | {"stream": True}
    if stop:
        body["stop"] = stop
    if dialect == "completions":
        body["prompt"] = request.prompt
        return Question(url=join(place.openai, "/completions"), body=body, format=OpenAICompletions())
    body["messages"] = list(request.messages or ({"role": "user", "content": request.prompt},))
    return Question(url=join(place.openai, "/chat/completions"), body=body, format=OpenAIChat())


def _ollama(request: Request, place: Place, model: str | None) -> Question:
    from streamkit.formats import Ollama

    options = translate(request.parameters, "ollama")
    body: dict[str, Any] = {"model": model, "stream": True}
    for name in _OLLAMA_FIELDS & options.keys():
        body[name] = options.pop(name)
    body["options"] = options
    if request.messages is None:
        body["prompt"] = request.prompt
        return Question(url=join(place.server, "/api/generate"), body=body, format=Ollama())
    body["messages"] = list(request.messages)
    return Question(url=join(place.server, "/api/chat"), body=body, format=Ollama())
