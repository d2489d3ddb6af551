"""What `GET` answers: what the gateway is, how it is, and what it counts."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import attrs
import msgspec

from streamkit.web.gateway.exchange import JSON
from streamkit.web.gateway.metrics import CONTENT_TYPE, Metrics
from streamkit.web.gateway.settings import Configuration
from streamkit.web.playground import ASSETS
from streamkit.web.playground.assets import read


@attrs.frozen
class Pages:
    """The pages of one gateway.

    Args:
        configuration: The settings and the pipelines.
        metrics: What has been counted.
        resumable: Whether answers are kept.
    """

    configuration: Configuration
    metrics: Metrics
    resumable: bool = attrs.field(kw_only=True)

    def page(self, path: str, pipeline: str | None, *, stopping: bool) -> tuple[int, str, bytes]:
        """Return the status, the content type and the body of a page.

        Args:
            path: One of `routes.PAGES`.
            pipeline: The pipeline that is meant, if one is.
            stopping: Whether the gateway is being stopped; a load balancer sends nobody any more then.
        """
        if path == "/metrics":
            return 200, CONTENT_TYPE, self.metrics.text().encode()
        if path in ASSETS:
            name, content_type = ASSETS[path]
            return 200, content_type, read(name)
        if path == "/health":
            return (503, JSON, b'{"status":"stopping"}') if stopping else (200, JSON, b'{"status":"ok"}')
        return 200, JSON, msgspec.json.encode(self._document(path, pipeline))

    def _document(self, path: str, pipeline: str | None) -> dict[str, Any]:
        if path == "/info":
            return _info(pipeline or self.configuration.default)
        if path == "/v1/models":
            names = self.configuration.pipelines
            models = [{"id": each, "object": "model", "created": 0, "owned_by": "streamkit"} for each in names]
            return {"object": "list", "data": models}
        from streamkit.web.gateway.openapi import description

        return description(resumable=self.resumable)


def _info(name: str) -> dict[str, Any]:
    """Describe the gateway by those fields of TGI's `/info` that are true of it."""
    return {
        "model_id": name,
        "model_pipeline_tag": "text-generation",
        "max_best_of": 1,
        "router": "streamkit",
        "version": version("streamkit-hf"),
    }
