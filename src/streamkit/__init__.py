r"""Turns the raw token stream of a language model into clean text, live.

    pipeline = Endpoint(url) | ScrubEos() | SkipSpecialTokens() | StopSequences("\nUser:") | Console()
    result = pipeline.run("What can you do in Nuremberg, Germany?")

A pipeline composes a source, a chain of transforms and sinks; callbacks are pluggy hooks. Importing this package
loads neither huggingface_hub nor an HTTP client nor any plugin: each is loaded by the first run that needs it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from streamkit.drivers.asynchronous import AsyncStream
from streamkit.drivers.sync import Stream
from streamkit.errors import (
    AuthenticationError,
    ConfigurationError,
    ConnectError,
    FencedError,
    FormatError,
    GenerationError,
    LimitExceededError,
    OverloadedError,
    PluginError,
    PluginLoadError,
    RateLimitError,
    RequestError,
    SinkError,
    SourceError,
    StoreError,
    StreamGoneError,
    StreamkitError,
    StreamRunningError,
    StreamTimeoutError,
    TruncatedStreamError,
)
from streamkit.events import Attempt, Event, Finish, Token, ToolCallDelta, Usage
from streamkit.hookspecs import hookimpl
from streamkit.host import Host
from streamkit.pipeline import Pipeline
from streamkit.protocols import Batch, Composable
from streamkit.request import Request
from streamkit.result import RunResult
from streamkit.run import Run
from streamkit.stores import LogEntry, LogHead

if TYPE_CHECKING:
    from streamkit.many import arun_many, run_many
    from streamkit.quick import astream, stream
    from streamkit.sinks import Callback, Collect, Console, JsonLines, TextFile
    from streamkit.sources import (
        Endpoint,
        Fallback,
        InferenceEndpoint,
        Record,
        Replay,
        Retry,
        Serverless,
        Timeouts,
        from_iterable,
    )
    from streamkit.transforms import (
        RepairText,
        ScrubEos,
        SkipSpecialTokens,
        Smooth,
        SplitReasoning,
        SplitToolCalls,
        StopSequences,
        TrimStart,
        recommended_transforms,
    )

__all__ = [
    "AsyncStream",
    "Attempt",
    "AuthenticationError",
    "Batch",
    "Callback",
    "Collect",
    "Composable",
    "ConfigurationError",
    "ConnectError",
    "Console",
    "Endpoint",
    "Event",
    "Fallback",
    "FencedError",
    "Finish",
    "FormatError",
    "GenerationError",
    "Host",
    "InferenceEndpoint",
    "JsonLines",
    "LimitExceededError",
    "LogEntry",
    "LogHead",
    "OverloadedError",
    "Pipeline",
    "PluginError",
    "PluginLoadError",
    "RateLimitError",
    "Record",
    "RepairText",
    "Replay",
    "Request",
    "RequestError",
    "Retry",
    "Run",
    "RunResult",
    "ScrubEos",
    "Serverless",
    "SinkError",
    "SkipSpecialTokens",
    "Smooth",
    "SourceError",
    "SplitReasoning",
    "SplitToolCalls",
    "StopSequences",
    "StoreError",
    "Stream",
    "StreamGoneError",
    "StreamRunningError",
    "StreamTimeoutError",
    "StreamkitError",
    "TextFile",
    "Timeouts",
    "Token",
    "ToolCallDelta",
    "TrimStart",
    "TruncatedStreamError",
    "Usage",
    "arun_many",
    "astream",
    "from_iterable",
    "hookimpl",
    "recommended_transforms",
    "run_many",
    "stream",
]

# What a pipeline is made of costs more to import than all the rest; a plugin needs none of it, a pipeline some.
_LAZY = {
    "many": ("arun_many", "run_many"),
    "quick": ("astream", "stream"),
    "sinks": ("Callback", "Collect", "Console", "JsonLines", "TextFile"),
    "sources": (
        "Endpoint",
        "Fallback",
        "InferenceEndpoint",
        "Record",
        "Replay",
        "Retry",
        "Serverless",
        "Timeouts",
        "from_iterable",
    ),
    "transforms": (
        "RepairText",
        "ScrubEos",
        "SkipSpecialTokens",
        "Smooth",
        "SplitReasoning",
        "SplitToolCalls",
        "StopSequences",
        "TrimStart",
        "recommended_transforms",
    ),
}


def __getattr__(name: str) -> Any:
    for module, names in _LAZY.items():
        if name in names:
            value = globals()[name] = getattr(import_module(f"streamkit.{module}"), name)
            return value
    raise AttributeError(f"module 'streamkit' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
