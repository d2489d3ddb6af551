"""Run a pipeline to its end and keep everything that came of it, failures included."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from streamkit.pipeline import Pipeline
from streamkit.protocols import AsyncSource, Source
from streamkit.request import Message, Request
from streamkit.sinks.collect import Collect, Collected


def collect(
    pipeline: Pipeline | Source | AsyncSource,
    question: str | Sequence[Message] | Request = "",
    /,
    **parameters: Any,
) -> Collected:
    """Run a pipeline and return the request, the events that left the chain, and the result.

    A run that fails is not raised: its `result.error` tells. What keeps a run from starting is.

    Args:
        pipeline: A pipeline, or a source alone.
        question: What to ask.
        parameters: Generation parameters.

    Returns:
        What came of it.

    Raises:
        ConfigurationError: The run cannot be started.
        PluginError: A transform could not be started.
    """
    kept = Collect()
    stream = _keeping(pipeline, kept).stream(question, **parameters)
    try:
        with stream:
            for _ in stream.events():
                pass
    except Exception:
        if not kept.runs:
            raise
    return kept.runs[0]


async def acollect(
    pipeline: Pipeline | Source | AsyncSource,
    question: str | Sequence[Message] | Request = "",
    /,
    **parameters: Any,
) -> Collected:
    """Run a pipeline with the asynchronous driver: the twin of `collect`."""
    kept = Collect()
    stream = _keeping(pipeline, kept).astream(question, **parameters)
    try:
        async with stream:
            async for _ in stream.events():
                pass
    except Exception:
        if not kept.runs:
            raise
    return kept.runs[0]


def _keeping(pipeline: Pipeline | Source | AsyncSource, kept: Collect) -> Pipeline:
    composed = pipeline if isinstance(pipeline, Pipeline) else Pipeline(pipeline)
    return composed.evolve(sinks=(kept, *composed.sinks))
