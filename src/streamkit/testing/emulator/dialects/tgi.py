"""Text Generation Inference: its routes, its native API, and how it says no.

Source of the protocol: TGI 3, `router/src/server.rs` and `router/src/lib.rs`; JSON rejections are those of axum's
`Json` extractor.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from streamkit.testing.emulator.answers import RefusalError, Response, sse
from streamkit.testing.emulator.dialects import tgi_openai
from streamkit.testing.emulator.dialects._tgi_streams import StreamedError, TgiAnswer
from streamkit.testing.emulator.engine import NAME, Body, Engine, Handler, Reply, decode, is_json
from streamkit.testing.emulator.generation import Step, stops_in_text
from streamkit.testing.emulator.ngram import split_pieces
from streamkit.testing.emulator.script import ScriptedToken
from streamkit.testing.emulator.seen import SeenRequest
from streamkit.testing.emulator.validation import (
    MAX_BEST_OF,
    Checked,
    GenerateBody,
    InvalidParametersError,
    Parameters,
    check,
)

MAX_PAYLOAD = 2_000_000
"""Most bytes in a request body (`--payload-limit`)."""


class Tgi(Engine):
    """An engine that presents itself as Text Generation Inference."""

    def table(self) -> Mapping[tuple[str, str], Handler]:
        """Return TGI's routes, without those for tokenizing, metrics and the cloud platforms."""
        return {
            ("GET", "/"): self.health,
            ("GET", "/health"): self.health,
            ("GET", "/info"): self.info,
            ("GET", "/v1/models"): self.models,
            ("POST", "/"): self.compat_generate,
            ("POST", "/generate"): self.generate,
            ("POST", "/generate_stream"): self.generate_stream,
            ("POST", "/v1/chat/completions"): self.chat,
            ("POST", "/v1/completions"): self.completions,
        }

    def guards(self, seen: SeenRequest, /) -> bool:
        """The key protects generation; health and info are open."""
        return seen.method == "POST"

    def admits(self, seen: SeenRequest, key: str) -> bool:
        """TGI compares the header without regard to case."""
        return seen.headers.get("Authorization", "").lower() == f"bearer {key}".lower()

    def unauthorized(self) -> Response:
        """TGI answers 401 without a word."""
        return Response(status=401, content_type=None)

    def lost(self, status: int) -> Response:
        """Nor does axum comment on unknown paths."""
        return Response(status=status, content_type=None)

    def health(self, _seen: SeenRequest, _raw: bytes) -> Reply:
        """Answer 200 without a body."""
        return Response(content_type=None)

    def info(self, _seen: SeenRequest, _raw: bytes) -> Reply:
        """Describe the server; `router` and `emulator` say what it really is."""
        settings = self.settings
        return Response.json(
            {
                "model_id": settings.model,
                "model_sha": None,
                "model_pipeline_tag": "text-generation",
                "max_concurrent_requests": 128,
                "max_best_of": MAX_BEST_OF,
                "max_stop_sequences": settings.max_stop_sequences,
                "max_input_tokens": settings.max_total_tokens - 1,
                "max_total_tokens": settings.max_total_tokens,
                "validation_workers": 1,
                "max_client_batch_size": tgi_openai.MAX_CLIENT_BATCH_SIZE,
                "router": NAME,
                "version": "3.3.6+emulated",
                "sha": None,
                "docker_label": None,
                "emulator": True,
            }
        )

    def models(self, _seen: SeenRequest, _raw: bytes) -> Reply:
        """List the one model, which owns itself."""
        model = {"id": self.settings.model, "object": "model", "created": 0, "owned_by": self.settings.model}
        return Response.json({"object": "list", "data": [model]})

    def compat_generate(self, seen: SeenRequest, raw: bytes) -> Reply:
        """Answer on `/`: streamed or not by the body's `stream`; not streamed, the object comes in a list.

        The prompt belongs to `generated_text` unless refused, as for every model whose pipeline is text-generation.
        """
        body = self.read(seen, raw, GenerateBody)
        if body.parameters.return_full_text is None:
            body.parameters.return_full_text = True
        return self._native(seen, body, stream=body.stream, listed=True)

    def generate(self, seen: SeenRequest, raw: bytes) -> Reply:
        """Answer in one piece."""
        return self._native(seen, self.read(seen, raw, GenerateBody), stream=False)

    def generate_stream(self, seen: SeenRequest, raw: bytes) -> Reply:
        """Answer token by token."""
        return self._native(seen, self.read(seen, raw, GenerateBody), stream=True)

    def chat(self, seen: SeenRequest, raw: bytes) -> Reply:
        """Answer a conversation in OpenAI's shape."""
        return tgi_openai.chat(self.settings, seen, self.read(seen, raw, tgi_openai.TgiChatBody))

    def completions(self, seen: SeenRequest, raw: bytes) -> Reply:
        """Answer one or several prompts in OpenAI's shape."""
        return tgi_openai.completions(self.settings, seen, self.read(seen, raw, tgi_openai.TgiCompletionsBody))

    def read(self, seen: SeenRequest, raw: bytes, shape: type[Body]) -> Body:
        """Return the decoded body of a request.

        Raises:
            RefusalError: 413 too large, 415 not said to be JSON, 400 not JSON, 422 JSON of another shape; plain text.
        """
        if len(raw) > MAX_PAYLOAD:
            raise RefusalError(Response(status=413, body=b"Failed to buffer the request body: length limit exceeded"))
        if not is_json(seen.headers):
            raise RefusalError(Response(status=415, body=b"Expected request with `Content-Type: application/json`"))
        return decode(raw, shape, _rejection)

    def _native(self, seen: SeenRequest, body: GenerateBody, *, stream: bool, listed: bool = False) -> Reply:
        try:
            checked = check(body.inputs, body.parameters, self.settings, stream=stream)
        except InvalidParametersError as problem:
            error = {"error": str(problem), "error_type": "validation"}
            return StreamedError(sse(error)) if stream else Response.json(error, 422)
        tokens = self.settings.tokens(seen, body.inputs, checked.sampling)
        steps = stops_in_text(tokens, checked.limit, body.parameters.stop)
        return _NativeAnswer(steps, body, checked, stream=stream, listed=listed)


class _NativeAnswer(TgiAnswer):
    """Native events: the last one is a token too, and carries the whole text and, if asked for, details."""

    def __init__(
        self, steps: Iterator[Step], body: GenerateBody, checked: Checked, *, stream: bool, listed: bool
    ) -> None:
        super().__init__(steps, stream=stream)
        self._inputs = body.inputs
        self._parameters: Parameters = body.parameters
        self._checked = checked
        self._listed = listed

    def chunks(self, step: Step) -> Sequence[bytes]:
        event = {
            "index": step.index,
            "token": _token(step.token),
            "generated_text": self._generated_text(step),
            "details": self._details(step) if self._parameters.details else None,
        }
        return (sse(event),)

    def whole(self, steps: Sequence[Step]) -> Response:
        document: dict[str, Any] = {"generated_text": self._generated_text(steps[-1])}
        if self._parameters.details:
            finish = self._details(steps[-1]) or {}
            finish.pop("input_length")  # only streams count the prompt
            tokens = [_token(step.token) for step in steps]
            document["details"] = {**finish, "prefill": self._prefill(), "tokens": tokens}
        return Response.json([document] if self._listed else document)

    def _generated_text(self, step: Step) -> str | None:
        if step.ending is None:
            return None
        return self._inputs + step.ending.text if self._parameters.return_full_text else step.ending.text

    def _details(self, step: Step) -> dict[str, Any] | None:
        if step.ending is None:
            return None
        return {
            "finish_reason": step.ending.reason,
            "generated_tokens": step.index,
            "seed": self._checked.sampling.seed if self._parameters.sampled else None,
            "input_length": self._checked.input_length,
        }

    def _prefill(self) -> list[dict[str, Any]]:
        if not self._parameters.decoder_input_details:
            return []
        pieces = ["<s>", *split_pieces(self._inputs)]
        return [{"id": place, "text": piece, "logprob": -0.5 if place else None} for place, piece in enumerate(pieces)]


def _token(token: ScriptedToken) -> dict[str, Any]:
    return {"id": token.id, "text": token.text, "logprob": token.logprob, "special": token.special}


def _rejection(status: int, problem: str) -> Response:
    step = "parse the request body as JSON" if status == 400 else "deserialize the JSON body into the target type"
    return Response(status=status, body=f"Failed to {step}: {problem}")
