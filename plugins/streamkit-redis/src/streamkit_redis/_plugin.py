"""What the entry point names: the plugin object."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from streamkit import hookimpl

from streamkit_redis.store import RedisStore


class _Plugin:
    """Registers the store under the name that configuration files use."""

    @hookimpl
    def register_stores(self) -> Mapping[str, Callable[..., Any]]:
        return {"redis": RedisStore}


plugin = _Plugin()
