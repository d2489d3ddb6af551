"""Our own plugin: every built-in part, registered through the public hooks, with no privilege."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from streamkit.hookspecs import hookimpl
from streamkit.protocols import Format


class Builtin:
    """The parts that come with streamkit."""

    @hookimpl
    def register_sources(self) -> Mapping[str, Callable[..., Any]]:
        """Return the sources; `from_iterable` is none of them, since an iterator has no name in a file."""
        from streamkit import sources

        return {
            "endpoint": sources.Endpoint,
            "fallback": sources.Fallback,
            "inference_endpoint": sources.InferenceEndpoint,
            "record": sources.Record,
            "replay": sources.Replay,
            "retry": sources.Retry,
            "serverless": sources.Serverless,
        }

    @hookimpl
    def register_transforms(self) -> Mapping[str, Callable[..., Any]]:
        """Return the transforms."""
        from streamkit import transforms

        return {
            "repair_text": transforms.RepairText,
            "scrub_eos": transforms.ScrubEos,
            "skip_special_tokens": transforms.SkipSpecialTokens,
            "smooth": transforms.Smooth,
            "split_reasoning": transforms.SplitReasoning,
            "split_tool_calls": transforms.SplitToolCalls,
            "stop_sequences": transforms.StopSequences,
            "trim_start": transforms.TrimStart,
        }

    @hookimpl
    def register_formats(self) -> Mapping[str, Format]:
        """Return the wire formats."""
        from streamkit.formats import FORMATS

        return FORMATS

    @hookimpl
    def register_sinks(self) -> Mapping[str, Callable[..., Any]]:
        """Return the sinks that a file can describe; `Callback` takes a function."""
        from streamkit import sinks

        return {
            "collect": sinks.Collect,
            "console": sinks.Console,
            "json_lines": sinks.JsonLines,
            "text_file": sinks.TextFile,
        }

    @hookimpl
    def register_stores(self) -> Mapping[str, Callable[..., Any]]:
        """Return the store that needs nothing but memory."""
        from streamkit.stores.memory import MemoryStore

        return {"memory": MemoryStore}
