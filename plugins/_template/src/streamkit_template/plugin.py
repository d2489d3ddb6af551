"""The plugin object, which the entry point names: what it registers, and what it observes."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from streamkit import RunResult, hookimpl

from streamkit_template.transform import Template

logger = logging.getLogger("streamkit_template")


class Plugin:
    """Registers the transform under the name that configuration files and the command line use."""

    @hookimpl
    def register_transforms(self) -> Mapping[str, Callable[..., Any]]:
        """Return the transforms by name."""
        return {"template": Template}

    @hookimpl
    def on_final(self, result: RunResult) -> None:
        """Log how a run ended; a hook names only the arguments that it needs."""
        logger.info("%s after %d tokens in %.2f s", result.outcome, result.tokens, result.timings.total)


plugin = Plugin()
