"""Fixtures for tests of streamkit's users, as a plugin of pytest.

The module stands beside the package and imports nothing of it: pytest loads it in every environment where streamkit is
installed, and whoever does not use the fixtures shall not wait for streamkit.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Protocol

import pytest

if TYPE_CHECKING:
    from streamkit.host import Host
    from streamkit.testing import EmulatedEndpoint


class StartEndpoint(Protocol):
    """What the fixture `emulated_endpoint` is."""

    def __call__(self, script: Any = None, **options: Any) -> EmulatedEndpoint:
        """Start an endpoint; the arguments are those of `EmulatedEndpoint`."""
        ...


class MakeHost(Protocol):
    """What the fixture `streamkit_host` is."""

    def __call__(self, *plugins: Any) -> Host:
        """Make a host of these plugins and the built-in parts."""
        ...


@pytest.fixture
def emulated_endpoint() -> Iterator[StartEndpoint]:
    """Start emulated endpoints by the arguments of `EmulatedEndpoint`, and stop them when the test ends."""
    from streamkit.testing import EmulatedEndpoint

    with ExitStack() as running:

        def start(script: Any = None, **options: Any) -> EmulatedEndpoint:
            return running.enter_context(EmulatedEndpoint(script, **options))

        yield start


@pytest.fixture
def streamkit_host(monkeypatch: pytest.MonkeyPatch) -> MakeHost:
    """Make a host without installed plugins, which `Host.default()` returns until the test ends."""
    from streamkit.host import Host

    def make(*plugins: Any) -> Host:
        host = Host(plugins)
        monkeypatch.setattr(Host, "default", staticmethod(lambda: host))
        return host

    return make
