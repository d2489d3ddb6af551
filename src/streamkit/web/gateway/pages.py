"""What `GET` answers: what the gateway is, how it is, and what it counts."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

import msgspec

from streamkit.pipeline import Pipeline
from streamkit.web.gateway.exchange import JSON
from streamkit.web.gateway.metrics import CONTENT_TYPE, Metrics
from streamkit.web.playground import ASSETS
from streamkit.web.playground.assets import read


def page(
    path: str, name: str, pipelines: Mapping[str, Pipeline], metrics: Metrics, *, stopping: bool
) -> tuple[int, str, bytes]:
    """Return the status, the content type and the body of a page.

    Args:
        path: One of `routes.PAGES`.
        name: The pipeline that is meant.
        pipelines: All of them.
        metrics: What has been counted.
        stopping: Whether the gateway is being stopped; a load balancer sends nobody any more then.
    """
    if path == "/metrics":
        return 200, CONTENT_TYPE, metrics.text().encode()
    if path in ASSETS:
        name, content_type = ASSETS[path]
        return 200, content_type, read(name)
    if path == "/health":
        return (503, JSON, b'{"status":"stopping"}') if stopping else (200, JSON, b'{"status":"ok"}')
    document: Any
    if path == "/info":
        document = _info(name)
    elif path == "/v1/models":
        models = [{"id": each, "object": "model", "created": 0, "owned_by": "streamkit"} for each in pipelines]
        document = {"object": "list", "data": models}
    else:
        from streamkit.web.gateway.openapi import description

        document = description()
    return 200, JSON, msgspec.json.encode(document)


def _info(name: str) -> dict[str, Any]:
    """Describe the gateway by those fields of TGI's `/info` that are true of it."""
    return {
        "model_id": name,
        "model_pipeline_tag": "text-generation",
        "max_best_of": 1,
        "router": "streamkit",
        "version": version("streamkit-hf"),
    }
