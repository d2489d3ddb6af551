"""The gateway's description in OpenAPI 3.1, made of the types that its requests are read into."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any, Final

import msgspec

from streamkit.web.gateway.ai_sdk import AiChat, AiCompletion
from streamkit.web.gateway.openai import ChatBody, CompletionsBody
from streamkit.web.gateway.playground import PlaygroundBody
from streamkit.web.gateway.routes import ANSWERS, OPEN, PAGES
from streamkit.web.gateway.tgi import GenerateBody

_BODIES: Final[dict[str, tuple[Any, str, str]]] = {
    "/": (GenerateBody, "text/event-stream", "Generate text, as Text Generation Inference does on its root."),
    "/generate": (GenerateBody, "application/json", "Generate text, as Text Generation Inference does."),
    "/generate_stream": (GenerateBody, "text/event-stream", "Stream text, as Text Generation Inference does."),
    "/v1/chat/completions": (ChatBody, "text/event-stream", "Answer a conversation, as OpenAI does."),
    "/v1/completions": (CompletionsBody, "text/event-stream", "Complete a text, as OpenAI did."),
    "/api/chat": (AiChat, "text/event-stream", "Answer useChat by a UI message stream."),
    "/api/completion": (AiCompletion, "text/event-stream", "Answer useCompletion by a UI message stream."),
    "/api/text/chat": (AiChat, "text/plain", "Answer useChat by plain text."),
    "/api/text/completion": (AiCompletion, "text/plain", "Answer useCompletion by plain text."),
    "/playground/stream": (PlaygroundBody, "text/event-stream", "Answer the playground, in words that may change."),
}

_PAGES: Final = {
    "/": ("text/html", "The playground."),
    "/playground/page.css": ("text/css", "How it looks."),
    "/playground/page.js": ("text/javascript", "What it does."),
    "/playground/view.js": ("text/javascript", "What it draws."),
    "/health": ("application/json", "Whether requests are taken; 503 while the gateway is being stopped."),
    "/info": ("application/json", "What Text Generation Inference tells of itself, as far as it is true here."),
    "/v1/models": ("application/json", "The pipelines; each is a model to OpenAI's clients."),
    "/metrics": ("text/plain", "What is counted, in Prometheus' text format."),
    "/openapi.json": ("application/json", "This description."),
}

_REFUSALS: Final = {
    "400": "The request is not JSON, or asks for what is not supported.",
    "401": "The key is missing or wrong.",
    "413": "The request is too large.",
    "422": "A field is missing or has an impossible value.",
    "429": "Too many answers at once, here or at the model; Retry-After says when to come back.",
    "502": "The model's server failed.",
    "504": "The model's server did not answer in time.",
}


def description() -> dict[str, Any]:
    """Return the description."""
    shapes = [body for body, _, _ in _BODIES.values()]
    schemas, components = msgspec.json.schema_components(shapes, ref_template="#/components/schemas/{name}")
    paths: dict[str, Any] = {path: {"get": _page(path)} for path in PAGES}
    for path, schema in zip(_BODIES, schemas, strict=True):
        paths.setdefault(path, {})["post"] = _answer(path, schema)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "streamkit gateway",
            "version": version("streamkit-hf"),
            "description": "Every path may begin with the name of a pipeline: /NAME/generate.",
        },
        "paths": paths,
        "components": {"schemas": components, "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}}},
        "security": [{"key": []}, {}],
    }


def _page(path: str) -> dict[str, Any]:
    media, summary = _PAGES[path]
    operation = {"summary": summary, "responses": {"200": {"description": "OK", "content": {media: {}}}}}
    return {**operation, "security": []} if path in OPEN else operation


def _answer(path: str, schema: Any) -> dict[str, Any]:
    assert path in ANSWERS  # noqa: S101 - the two tables are one in two places
    _, media, summary = _BODIES[path]
    responses: dict[str, Any] = {status: {"description": meaning} for status, meaning in _REFUSALS.items()}
    return {
        "summary": summary,
        "requestBody": {"required": True, "content": {"application/json": {"schema": schema}}},
        "responses": {"200": {"description": "The answer.", "content": {media: {}}}, **responses},
    }
