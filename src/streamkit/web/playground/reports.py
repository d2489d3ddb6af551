"""The reports on their way to the page: tokens on a channel of their own, which the pipeline's sinks never see."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import attrs

from streamkit.events import Event, Token
from streamkit.result import RunResult

CHANNEL: Final = "playground"
"""Where the reports travel, behind the text that they tell of."""


def is_report(event: Event) -> bool:
    """Tell a report from what the pipeline itself says."""
    return type(event) is Token and event.channel == CHANNEL


@attrs.frozen(repr=False)
class Unreported:
    """A pipeline's sink as it is without the page: it gets everything but the reports.

    Args:
        sink: The sink, of either kind or of both.
    """

    sink: Any

    def __getattr__(self, name: str) -> Any:
        """Return what the sink has, with `open` and `aopen` giving a writer that leaves the reports out."""
        given = getattr(self.sink, name)
        writer = _WRITERS.get(name)
        return given if writer is None else lambda request: writer(given(request))

    def __repr__(self) -> str:
        return repr(self.sink)  # which the error of one that fails is to name


@attrs.frozen
class _Writer:
    writer: Any

    def write(self, event: Event) -> None:
        if not is_report(event):
            self.writer.write(event)

    def close(self, result: RunResult) -> None:
        self.writer.close(result)


@attrs.frozen
class _AsyncWriter:
    writer: Any

    async def awrite(self, event: Event) -> None:
        if not is_report(event):
            await self.writer.awrite(event)

    async def aclose(self, result: RunResult) -> None:
        await self.writer.aclose(result)


_WRITERS: Final[Mapping[str, type[_Writer | _AsyncWriter]]] = {"open": _Writer, "aopen": _AsyncWriter}
