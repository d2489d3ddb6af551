"""The gateway's description in OpenAPI 3.1, made of the types that its requests are read into."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any, Final, get_args

import msgspec

from streamkit.stores import Stopped
from streamkit.web.gateway.ai_sdk import AiChat, AiCompletion
from streamkit.web.gateway.openai import ChatBody, CompletionsBody
from streamkit.web.gateway.playground import PlaygroundBody
from streamkit.web.gateway.resuming import LONGEST, RESUMABLE
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
    "404": "There is no pipeline of this name.",
    "413": "The request is too large.",
    "422": "A field is missing or has an impossible value.",
    "429": "Too many answers at once, here or at the model; Retry-After says when to come back.",
    "502": "The model's server failed.",
    "504": "The model's server did not answer in time.",
}

_ID: Final = {"type": "string", "minLength": 1, "maxLength": LONGEST}

_STREAM_ID: Final = {
    "name": "x-stream-id",
    "in": "header",
    "description": "Keeps the answer under this id: it goes on when its client leaves, and can be resumed and stopped.",
    "schema": _ID,
}

_ID_IN_PATH: Final = {"name": "id", "in": "path", "required": True, "schema": _ID}

_STATE: Final = {"type": "object", "properties": {"state": {"enum": get_args(Stopped)}}, "required": ["state"]}

_STOP: Final = {
    "summary": "Stop an answer that is kept, wherever it runs.",
    "parameters": [_ID_IN_PATH],
    "responses": {
        "200": {"description": "What becomes of it.", "content": {"application/json": {"schema": _STATE}}},
        "401": {"description": _REFUSALS["401"]},
    },
}


def description(*, resumable: bool) -> dict[str, Any]:
    """Return the description.

    Args:
        resumable: Whether answers are kept, and can be read again and stopped.
    """
    shapes = [body for body, _, _ in _BODIES.values()]
    schemas, components = msgspec.json.schema_components(shapes, ref_template="#/components/schemas/{name}")
    paths: dict[str, Any] = {path: {"get": _page(path)} for path in PAGES}
    for path, schema in zip(_BODIES, schemas, strict=True):
        paths.setdefault(path, {})["post"] = _answer(path, schema)
    if resumable:
        for path in ("/", *RESUMABLE):
            paths[path]["post"]["parameters"] = [_STREAM_ID]
        for path in RESUMABLE:
            paths[f"{path}/{{id}}/stream"] = {"get": _kept_stream(_BODIES[path][1])}
            paths[f"{path}/{{id}}/stop"] = {"post": _STOP}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "streamkit gateway",
            "version": version("streamkit-hf"),
            "description": "Every path may begin with the name of a pipeline: /NAME/generate.",
        },
        "servers": [{"url": "."}],  # wherever it is mounted: beside this description
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


def _kept_stream(media: str) -> dict[str, Any]:
    return {
        "summary": "Read an answer that is kept: whole, or from behind the last event that the client has.",
        "parameters": [_ID_IN_PATH, {"name": "last-event-id", "in": "header", "schema": {"type": "string"}}],
        "responses": {
            "200": {"description": "The answer.", "content": {media: {}}},
            "204": {"description": "It has ended and the client has all of it; to the AI SDK also that there is none."},
            "401": {"description": _REFUSALS["401"]},
            "410": {"description": "It is not kept any more, or not from that event on."},
        },
    }
