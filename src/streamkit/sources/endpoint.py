"""A model behind a URL: a Hugging Face Inference Endpoint, or any engine that you host."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final, Literal
from urllib.parse import urlsplit

import attrs

from streamkit.errors import ConfigurationError
from streamkit.protocols import Batch, Composable, Format
from streamkit.request import Request
from streamkit.sources._calls import Call, headers_for, split
from streamkit.sources._credentials import Secret, bearer, conceal, conceal_headers, refuse_clear
from streamkit.sources._detect import Known, Server, choose, introduced, known_lately, recognise
from streamkit.sources._dialects import APIS, AUTO, Api, Dialect, Place, ask, check_early, join
from streamkit.sources.timeouts import Timeouts

ROUTER_HOST: Final = "router.huggingface.co"
"""Inference Providers, which serve conversations only."""


def _check_url(_: object, __: object, url: Any) -> None:
    parts = split(url) if isinstance(url, str) else None
    if parts is None or parts.scheme not in ("http", "https"):
        bare = isinstance(url, str) and url and "://" not in url
        example = f"http://{url} or https://{url}" if bare else "https://host/path"
        raise ConfigurationError(f"{url!r} is not the URL of a server: write it as {example}")
    if parts.username is not None or parts.password is not None:
        raise ConfigurationError("the URL holds a user name or password: pass the secret as token= instead")


def _shown(url: str) -> str:
    """Return the repr of a URL, without a key that is in its query."""
    return repr(url.partition("?")[0] + "?***") if "?" in url else repr(url)


def _check_api(_: object, __: object, api: Api) -> None:
    if api not in APIS:
        raise ConfigurationError(f"api is {api!r}: it is one of {', '.join(map(repr, APIS))}")


@attrs.frozen
class Endpoint(Composable):
    """A server at a URL.

    With `api="auto"` the dialect is read from the URL's path where it names a route, and otherwise asked of the
    server by one `GET /v1/models`; an older TGI, which has no such route, is asked for its model by `GET /info` when it
    is to have a conversation. This object keeps the answers until a question is answered with 404 or 405. A prompt goes
    to the text route (TGI's own, or `/v1/completions`), a conversation to `/v1/chat/completions`; with `api="chat"` a
    prompt becomes one user message.

    Args:
        url: The server's base, its `/v1`, or a full route.
        token: A token for this server. Without one, the token saved by `hf auth login` is sent to Hugging Face's own
            hosts over https and nowhere else; `False` sends none.
        model: The model's name, where the server serves several; a single one is found out.
        api: `tgi`, `chat`, `completions` or `ollama`, for how prompts are asked; `auto` finds out.
        headers: Further headers, such as `X-Scale-Up-Timeout`.
        timeouts: How long to wait.

    Raises:
        ConfigurationError: The URL is no URL, or an option is impossible.
    """

    url: str = attrs.field(validator=_check_url, repr=_shown)
    token: Secret | Literal[False] | None = attrs.field(default=None, converter=conceal, repr=False, kw_only=True)
    model: str | None = attrs.field(default=None, kw_only=True)
    api: Api = attrs.field(default=AUTO, validator=_check_api, kw_only=True)
    headers: Mapping[str, str] = attrs.field(factory=dict, converter=conceal_headers, repr=False, kw_only=True)
    timeouts: Timeouts = attrs.field(factory=Timeouts, kw_only=True)
    _known: Known = attrs.field(factory=Known, init=False, repr=False, eq=False)

    @contextmanager
    def open(self, request: Request) -> Iterator[Iterator[Batch]]:
        """Ask the question; see `Source.open`."""
        from streamkit.sources import _urllib3

        check_early(request, self._dialect())
        server = self._known.server
        if server is None and self._must_ask():
            probe = self._probe(request, "/models")
            server = self._known.server = recognise(_urllib3.fetch(probe), probe.url, probe.secrets())
        if self._nameless(server, request):
            server = self._known.server = introduced(_urllib3.fetch(self._probe(request, "/info")))
        call, answer_format = self._call(request, server)
        with self._known.believed(), _urllib3.ask(call, answer_format) as batches:
            yield batches

    @asynccontextmanager
    async def aopen(self, request: Request) -> AsyncIterator[AsyncIterator[Batch]]:
        """Ask the question; see `AsyncSource.aopen`."""
        from streamkit.sources import _aiohttp

        check_early(request, self._dialect())
        server = self._known.server
        if server is None and self._must_ask():
            probe = self._probe(request, "/models")
            server = self._known.server = recognise(await _aiohttp.fetch(probe), probe.url, probe.secrets())
        if self._nameless(server, request):
            server = self._known.server = introduced(await _aiohttp.fetch(self._probe(request, "/info")))
        call, answer_format = self._call(request, server)
        with self._known.believed():
            async with _aiohttp.ask(call, answer_format) as batches:
                yield batches

    def _dialect(self) -> Dialect | None:
        """Return how prompts are asked there, if the caller or the URL says so."""
        if self.api != "auto":
            return self.api
        if urlsplit(self.url).hostname == ROUTER_HOST:
            return "chat"
        return Place.of(self.url).named

    def _must_ask(self) -> bool:
        """Tell whether the server must be asked what it is before it can be asked anything else."""
        dialect = self._dialect()
        return dialect is None or (dialect != "tgi" and self.model is None)

    def _nameless(self, server: Server | None, request: Request) -> bool:
        """Tell whether the question must name the model of a server that does not list its models."""
        return (
            self.model is None
            and server == Server(dialect="tgi")
            and not (self._dialect() in (None, "tgi") and request.messages is None)
        )

    def _probe(self, request: Request, path: Literal["/models", "/info"]) -> Call:
        """Return the request for what is not known yet: what the server speaks, or what its model is called."""
        place = Place.of(self.url)
        url = join(place.server if path == "/info" else place.openai, path)
        headers = self._headers(url, accept="application/json")
        return Call(method="GET", url=url, headers=headers, timeouts=self.timeouts, hangup=request.hangup)

    def _call(self, request: Request, server: Server | None) -> tuple[Call, Format]:
        server = server or Server(dialect="tgi", models=("tgi",))
        dialect = self._dialect() or server.dialect
        text_route_of_tgi = dialect == "tgi" and request.messages is None
        model = self.model or (None if text_route_of_tgi else choose(server.models, self.url))
        question = ask(request, Place.of(self.url), dialect, model)
        call = Call(
            method="POST",
            url=question.url,
            headers=self._headers(question.url, accept=question.format.content_type),
            body=question.body,
            timeouts=self.timeouts,
            hangup=request.hangup,
            tap=request.tap,
        )
        return call, question.format

    def _headers(self, url: str, *, accept: str) -> dict[str, str]:
        if "authorization" in {name.lower() for name in self.headers}:
            refuse_clear(url)
            return headers_for({}, self.headers, accept=accept)
        return headers_for(bearer(url, self.token), self.headers, accept=accept)


def endpoint_known_lately(url: str, *, token: str | Literal[False] | None) -> Endpoint:
    """Return an endpoint that shares what it finds out with others made like it; see `known_lately`."""
    endpoint = Endpoint(url, token=token)
    object.__setattr__(endpoint, "_known", known_lately(endpoint.url, endpoint.token))
    return endpoint
