"""What the entry point names: the plugin object."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from streamkit import hookimpl

from streamkit_redact.redact import Redact


class _Plugin:
    """Registers the transform under the name that configuration files and the command line use."""

    @hookimpl
    def register_transforms(self) -> Mapping[str, Callable[..., Any]]:
        return {"redact": Redact}


plugin = _Plugin()
