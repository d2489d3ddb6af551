"""OpenAI's chat and completions as vLLM and a hosted provider serve them.

Sources: vLLM's `entrypoints/openai` (2026), OpenAI's API reference. Both refuse with an HTTP status before a stream
begins, withhold stop strings and hide special tokens.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import msgspec

from streamkit.testing.emulator.answers import RefusalError, Response
from streamkit.testing.emulator.chat import render_chat
from streamkit.testing.emulator.dialects._openai_answers import ChatAnswer, CompletionsAnswer, Flavour
from streamkit.testing.emulator.engine import NAME, Engine, Handler, Reply, count_tokens, decode
from streamkit.testing.emulator.generation import stops_withheld
from streamkit.testing.emulator.ngram import Sampling
from streamkit.testing.emulator.seen import SeenRequest


class _StreamOptions(msgspec.Struct):
    include_usage: bool = False


class _Body(msgspec.Struct, kw_only=True):
    """What both routes read of a request; everything else is ignored, tools among it."""

    model: str | None = None
    messages: list[dict[str, Any]] | None = None
    prompt: str | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    seed: int | None = None
    n: int | None = None
    stop: str | list[str] | None = None
    stream: bool | None = None
    stream_options: _StreamOptions | None = None
    logprobs: bool | int | None = None


class _OpenAiShaped(Engine):
    """What vLLM and a provider have in common."""

    owner: ClassVar[str]
    flavour: ClassVar[Flavour]

    def table(self) -> Mapping[tuple[str, str], Handler]:
        """Return the routes both have."""
        return {("GET", "/v1/models"): self.models, ("POST", "/v1/chat/completions"): self.chat}

    def guards(self, seen: SeenRequest, /) -> bool:
        """The key protects everything under `/v1`."""
        return seen.path.startswith("/v1/")

    def models(self, _seen: SeenRequest, _raw: bytes) -> Reply:
        """List the one model."""
        model = {"id": self.settings.model, "object": "model", "created": self.born, "owned_by": self.owner}
        return Response.json({"object": "list", "data": [model]})

    def chat(self, seen: SeenRequest, raw: bytes) -> Reply:
        """Answer a conversation."""
        body = decode(raw, _Body, self.malformed)
        if not body.messages:
            raise RefusalError(self.error(400, "messages: Field required", "messages"))
        return self.generate(seen, body, render_chat(body.messages))

    def completions(self, seen: SeenRequest, raw: bytes) -> Reply:
        """Continue a prompt."""
        body = decode(raw, _Body, self.malformed)
        if body.prompt is None:
            raise RefusalError(self.error(400, "prompt: Field required", "prompt"))
        return self.generate(seen, body, body.prompt)

    def generate(self, seen: SeenRequest, body: _Body, prompt: str) -> Reply:
        """Check a request and answer it.

        Raises:
            RefusalError: 404 for another model than the one served, 400 for a value out of range.
        """
        if body.model != self.settings.model:
            raise RefusalError(self.no_such_model(body.model))
        asked = body.max_tokens if body.max_completion_tokens is None else body.max_completion_tokens
        stop = [body.stop] if isinstance(body.stop, str) else body.stop or []
        for wrong, param, message in _faults(body, asked, stop):
            if wrong:
                raise RefusalError(self.error(400, message, param))
        prompt_tokens = count_tokens(prompt)
        room = self.settings.max_total_tokens - prompt_tokens
        limit = room if asked is None else asked
        if limit > room or room < 1:
            raise RefusalError(self.error(400, self._too_long(prompt_tokens, asked), "max_tokens"))
        sampling = Sampling(
            temperature=None if body.temperature == 0 else 1.0 if body.temperature is None else body.temperature,
            top_p=body.top_p,
            top_k=body.top_k if body.top_k and body.top_k > 0 else None,
            seed=self.settings.seed_for(body.seed),
        )
        steps = stops_withheld(self.settings.tokens(seen, prompt, sampling), limit, stop)
        shape = ChatAnswer if seen.path.endswith("/chat/completions") else CompletionsAnswer
        return shape(
            steps,
            stream=bool(body.stream),
            model=self.settings.model,
            flavour=self.flavour,
            prompt_tokens=prompt_tokens,
            with_usage=body.stream_options is not None and body.stream_options.include_usage,
            with_logprobs=bool(body.logprobs),
        )

    def malformed(self, _status: int, problem: str) -> Response:
        """Return the answer to a body that cannot be read."""
        return self.error(400, problem, None)

    def no_such_model(self, model: str | None) -> Response:
        """Return the answer to a request for another model."""
        raise NotImplementedError

    def error(self, status: int, message: str, param: str | None) -> Response:
        """Return an error in the engine's own words."""
        raise NotImplementedError

    def _too_long(self, prompt_tokens: int, asked: int | None) -> str:
        limit = self.settings.max_total_tokens
        return (
            f"This model's maximum context length is {limit} tokens. However, you requested "
            f"{prompt_tokens + (asked or 1)} tokens ({prompt_tokens} in the prompt, {asked or 1} in the completion)."
        )


class Vllm(_OpenAiShaped):
    """An engine that presents itself as vLLM."""

    owner = "vllm"
    flavour = Flavour(fingerprint="last", names_stop=True)

    def table(self) -> Mapping[tuple[str, str], Handler]:
        """Return vLLM's routes, as far as they generate text."""
        return {
            **super().table(),
            ("POST", "/v1/completions"): self.completions,
            ("GET", "/health"): lambda _seen, _raw: Response(content_type=None),
            ("GET", "/version"): lambda _seen, _raw: Response.json({"version": f"0.0.0+{NAME}"}),
        }

    def unauthorized(self) -> Response:
        """Return vLLM's 401, which is not shaped as its other errors are."""
        return Response.json({"error": "Unauthorized"}, 401)

    def lost(self, status: int) -> Response:
        """Return FastAPI's own answer."""
        return Response.json({"detail": "Not Found" if status == 404 else "Method Not Allowed"}, status)

    def no_such_model(self, model: str | None) -> Response:
        """Return vLLM's 404."""
        message = f"The model `{model}` does not exist."
        return Response.json(
            {"error": {"message": message, "type": "NotFoundError", "param": "model", "code": 404}}, status=404
        )

    def error(self, status: int, message: str, param: str | None) -> Response:
        """Return an error as vLLM nests it since 0.10."""
        detail = {"message": message, "type": "BadRequestError", "param": param, "code": status}
        return Response.json({"error": detail}, status)


class OpenAi(_OpenAiShaped):
    """An engine that presents itself as a hosted provider with OpenAI's API."""

    owner = NAME
    flavour = Flavour(fingerprint="each", names_stop=False)

    def unauthorized(self) -> Response:
        """Return OpenAI's 401, without the key it was given."""
        return _provider_error(401, "Incorrect API key provided.", None, "invalid_api_key")

    def lost(self, status: int) -> Response:
        """Return OpenAI's answer to an unknown URL."""
        return _provider_error(status, "Invalid URL or method", None, None)

    def no_such_model(self, model: str | None) -> Response:
        """Return OpenAI's 404, or 400 when no model was named."""
        if model is None:
            return self.error(400, "you must provide a model parameter", None)
        message = f"The model `{model}` does not exist or you do not have access to it."
        return _provider_error(404, message, None, "model_not_found")

    def error(self, status: int, message: str, param: str | None) -> Response:
        """Return an error as OpenAI nests it."""
        return _provider_error(status, message, param, None)


def _faults(body: _Body, asked: int | None, stop: Sequence[str]) -> tuple[tuple[bool, str, str], ...]:
    temperature = 0.0 if body.temperature is None else body.temperature
    top_p = 1.0 if body.top_p is None else body.top_p
    return (
        (temperature < 0, "temperature", f"temperature must be non-negative, got {temperature}."),
        (not 0 < top_p <= 1, "top_p", f"top_p must be in (0, 1], got {top_p}."),
        (asked is not None and asked < 1, "max_tokens", f"max_tokens must be at least 1, got {asked}."),
        ("" in stop, "stop", "stop cannot contain an empty string."),
        (body.n not in {None, 1}, "n", "this emulator gives one answer at a time: n must be 1"),
    )


def _provider_error(status: int, message: str, param: str | None, code: str | None) -> Response:
    detail = {"message": message, "type": "invalid_request_error", "param": param, "code": code}
    return Response.json({"error": detail}, status)
