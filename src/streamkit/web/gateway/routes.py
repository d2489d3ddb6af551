"""Which path speaks which protocol."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from streamkit.formats import Text, UIMessage
from streamkit.web.gateway.ai_sdk import AiSdkRoute
from streamkit.web.gateway.asked import Dialect
from streamkit.web.gateway.openai import ChatRoute, CompletionsRoute
from streamkit.web.gateway.playground import PlaygroundRoute
from streamkit.web.gateway.tgi import TgiRoute
from streamkit.web.playground import ASSETS

ANSWERS: Final[Mapping[str, Dialect]] = {
    "/": TgiRoute("compat"),
    "/generate": TgiRoute("generate"),
    "/generate_stream": TgiRoute("generate_stream"),
    "/v1/chat/completions": ChatRoute(),
    "/v1/completions": CompletionsRoute(),
    "/api/chat": AiSdkRoute(UIMessage(), chat=True),
    "/api/completion": AiSdkRoute(UIMessage(), chat=False),
    "/api/text/chat": AiSdkRoute(Text(), chat=True),
    "/api/text/completion": AiSdkRoute(Text(), chat=False),
    "/playground/stream": PlaygroundRoute(),
}
"""What `POST` answers."""

PAGES: Final = (*ASSETS, "/health", "/info", "/v1/models", "/metrics", "/openapi.json")
"""What `GET` answers."""

OPEN: Final = (*ASSETS, "/health")
"""Pages that need no key: a browser sends none when it opens a page, and a load balancer has none."""

ELSEWHERE: Final = "other"
"""What logs and metrics call all paths that are not here."""


def split(path: str, pipelines: Mapping[str, object]) -> tuple[str | None, str]:
    """Take the pipeline off a path: `/NAME/generate` is `/generate` of the pipeline NAME.

    TGI's requests name no model, so the base URL of a client is where it can be said.

    Args:
        path: The request's.
        pipelines: By name.

    Returns:
        The pipeline's name, if the path has one, and the route.
    """
    if path in ANSWERS or path in PAGES:
        return None, path
    for name in pipelines:
        if path == f"/{name}" or path.startswith(f"/{name}/"):
            return name, path[len(name) + 1 :] or "/"
    return None, path
