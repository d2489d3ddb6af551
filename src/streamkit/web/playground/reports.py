"""The reports on their way to the page: tokens on a channel of their own, which the pipeline's sinks never see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

import attrs

from streamkit.events import Event, Token
from streamkit.followed import Followed
from streamkit.formats._encoding import json_of
from streamkit.pipeline import Pipeline
from streamkit.result import RunResult
from streamkit.trail import Trace

CHANNEL: Final = "playground"
"""Where the reports travel, behind the text that they tell of."""


def followed(pipeline: Pipeline) -> Pipeline:
    """Return the pipeline with reports between its events, for the `PlaygroundEncoder`.

    Args:
        pipeline: Any; its text, its end, and what its sinks and observers get stay as they are.
    """
    names = tuple(type(each).__name__ for each in pipeline.transforms)
    return pipeline.evolve(
        transforms=(Followed(pipeline.transforms, partial(_report, names)),),
        sinks=tuple(Unreported(sink) for sink in pipeline.sinks),
    )


def is_report(event: Event) -> bool:
    """Tell a report from what the pipeline itself says."""
    return type(event) is Token and event.channel == CHANNEL


def _report(names: Sequence[str], changes: Sequence[Trace]) -> Sequence[Event]:
    """Return a report: its text is members of a JSON object, the transforms' names among them with the first token."""
    said: dict[str, Any] = {"tokens": [_said(trace) for trace in changes]}
    if changes[0].number == 0:
        said = {"transforms": names, **said}
    return (Token(json_of(said).decode()[1:-1], channel=CHANNEL, cont=True),)


def _said(trace: Trace) -> dict[str, Any]:
    token = trace.token
    said: dict[str, Any] = {"n": trace.number, "text": token.text, "at": trace.at, "fate": trace.fate}
    said["steps"] = trace.texts
    if token.special:
        said["special"] = True
    if trace.by is not None:
        said["by"] = trace.by
    if trace.left is not None:
        said["left"] = trace.left
    if trace.channel != "text":
        said["channel"] = trace.channel
    return said


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
