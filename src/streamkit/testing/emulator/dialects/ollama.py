"""Ollama's own API: newline-delimited JSON on `/api/generate` and `/api/chat`, streaming unless told otherwise.

Source: Ollama's `docs/api.md` and `server/routes.go`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar

import msgspec

from streamkit.testing.emulator.answers import Answer, RefusalError, Response
from streamkit.testing.emulator.chat import render_chat
from streamkit.testing.emulator.engine import NAME, Engine, Handler, Reply, count_tokens, decode
from streamkit.testing.emulator.generation import Step, stops_withheld
from streamkit.testing.emulator.ngram import Sampling
from streamkit.testing.emulator.seen import SeenRequest


class _Options(msgspec.Struct):
    num_predict: int | None = None
    temperature: float | None = None
    top_k: int | None = None
    top_p: float | None = None
    seed: int | None = None
    stop: list[str] = []


class _Body(msgspec.Struct, kw_only=True):
    model: str = ""
    prompt: str = ""
    messages: list[dict[str, Any]] = []
    stream: bool = True
    options: _Options = msgspec.field(default_factory=_Options)


class Ollama(Engine):
    """An engine that presents itself as Ollama; it never asks for a key."""

    def table(self) -> Mapping[tuple[str, str], Handler]:
        """Return the routes that generate text, and those that say what is served."""
        return {
            ("GET", "/"): lambda _seen, _raw: Response(body=b"Ollama is running (emulated)"),
            ("GET", "/api/version"): lambda _seen, _raw: Response.json({"version": f"0.0.0-{NAME}"}),
            ("GET", "/api/tags"): self.tags,
            ("POST", "/api/generate"): self.generate,
            ("POST", "/api/chat"): self.chat,
        }

    def guards(self, _seen: SeenRequest, /) -> bool:
        """Ollama has no keys."""
        return False

    def lost(self, status: int) -> Response:
        """Return gin's own answer."""
        return Response(status=status, body=b"404 page not found" if status == 404 else b"405 method not allowed")

    def tags(self, _seen: SeenRequest, _raw: bytes) -> Reply:
        """List the one model."""
        name = self.settings.model
        return Response.json({"models": [{"name": name, "model": name, "details": {"family": NAME}}]})

    def generate(self, seen: SeenRequest, raw: bytes) -> Reply:
        """Continue a prompt."""
        body = decode(raw, _Body, _malformed)
        return self._answer(seen, body, body.prompt, chat=False)

    def chat(self, seen: SeenRequest, raw: bytes) -> Reply:
        """Answer a conversation."""
        body = decode(raw, _Body, _malformed)
        return self._answer(seen, body, render_chat(body.messages), chat=True)

    def _answer(self, seen: SeenRequest, body: _Body, prompt: str, *, chat: bool) -> Reply:
        if not body.model:
            raise RefusalError(Response.json({"error": "model is required"}, 400))
        if body.model != self.settings.model:
            raise RefusalError(Response.json({"error": f"model '{body.model}' not found"}, 404))
        options = body.options
        prompt_tokens = count_tokens(prompt)
        room = max(1, self.settings.max_total_tokens - prompt_tokens)
        limit = min(room, options.num_predict) if options.num_predict and options.num_predict > 0 else room
        sampling = Sampling(
            temperature=None if options.temperature == 0 else options.temperature or 0.8,  # Ollama's default
            top_k=options.top_k or None,
            top_p=options.top_p or None,
            seed=self.settings.seed_for(options.seed),
        )
        tokens = self.settings.tokens(seen, prompt, sampling)
        steps = stops_withheld(tokens, limit, [each for each in options.stop if each])
        return _OllamaAnswer(steps, self.settings.model, prompt_tokens, chat=chat, stream=body.stream)


class _OllamaAnswer(Answer):
    """One JSON object per line; the last one has no text, but the reason and the counts."""

    content_type = "application/x-ndjson"
    headers: ClassVar[Mapping[str, str]] = {}

    def __init__(self, steps: Iterator[Step], model: str, prompt_tokens: int, *, chat: bool, stream: bool) -> None:
        super().__init__(steps, stream=stream)
        self._model = model
        self._prompt_tokens = prompt_tokens
        self._chat = chat
        self._begun = time.monotonic_ns()

    def chunks(self, step: Step) -> Sequence[bytes]:
        lines = [_line(self._object(step.text) | {"done": False})] if step.text else []
        if step.ending:
            lines.append(_line(self._object("") | self._end(step)))
        return lines

    def whole(self, steps: Sequence[Step]) -> Response:
        last = steps[-1]
        document = self._object(last.ending.text if last.ending else "") | self._end(last)
        return Response(body=_line(document), content_type="application/json; charset=utf-8")

    def _object(self, text: str) -> dict[str, Any]:
        said = {"message": {"role": "assistant", "content": text}} if self._chat else {"response": text}
        now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
        return {"model": self._model, "created_at": now, **said}

    def _end(self, step: Step) -> dict[str, Any]:
        elapsed = time.monotonic_ns() - self._begun
        return {
            "done": True,
            "done_reason": "length" if step.ending and step.ending.reason == "length" else "stop",
            "total_duration": elapsed,
            "load_duration": 0,
            "prompt_eval_count": self._prompt_tokens,
            "prompt_eval_duration": 0,
            "eval_count": step.index,
            "eval_duration": elapsed,
        }


_GO_ESCAPES = {ord(each): f"\\u{ord(each):04x}" for each in "<>&\u2028\u2029"}
"""What Go's JSON encoder escapes so that JSON may stand in HTML."""


def _line(document: dict[str, Any]) -> bytes:
    return msgspec.json.encode(document).decode().translate(_GO_ESCAPES).encode() + b"\n"


def _malformed(_status: int, problem: str) -> Response:
    return Response.json({"error": problem}, 400)
