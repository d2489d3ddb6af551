"""What the entry point names: the source, registered as `transformers`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from streamkit import hookimpl


class TransformersPlugin:
    """Registers the source under the name `transformers`."""

    @hookimpl
    def register_sources(self) -> Mapping[str, Callable[..., Any]]:
        """Return the source; its model is loaded by the first run, not here."""
        from streamkit_transformers.source import TransformersModel

        return {"transformers": TransformersModel}


plugin = TransformersPlugin()
