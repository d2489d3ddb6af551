"""For users and plugin authors: an emulated endpoint, faults, a bad network, contracts, ways to feed a machine.

Importing this package is cheap; each name loads what it needs when it is first used. The contracts need `hypothesis`:
`pip install 'streamkit-hf[testing]'`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from streamkit.testing import faults
    from streamkit.testing.chaos_proxy import ChaosProxy
    from streamkit.testing.collecting import acollect, collect
    from streamkit.testing.contracts import (
        LawBroken,
        assert_format_contract,
        assert_sink_contract,
        assert_source_contract,
        assert_store_contract,
        assert_transform_contract,
    )
    from streamkit.testing.emulator import EmulatedEndpoint, Response, ScriptedToken, SeenRequest
    from streamkit.testing.faults import FAULTS, Fault
    from streamkit.testing.feeding import feed_every_way, run_chain, visible
    from streamkit.testing.histories import assert_one_history
    from streamkit.testing.leaks import NoLeaks
    from streamkit.testing.recording import HookCall, HookRecorder, record_hooks
    from streamkit.testing.scripted import ScriptedSource, replay

__all__ = [
    "FAULTS",
    "ChaosProxy",
    "EmulatedEndpoint",
    "Fault",
    "HookCall",
    "HookRecorder",
    "LawBroken",
    "NoLeaks",
    "Response",
    "ScriptedSource",
    "ScriptedToken",
    "SeenRequest",
    "acollect",
    "assert_format_contract",
    "assert_one_history",
    "assert_sink_contract",
    "assert_source_contract",
    "assert_store_contract",
    "assert_transform_contract",
    "collect",
    "faults",
    "feed_every_way",
    "record_hooks",
    "replay",
    "run_chain",
    "visible",
]

_LAZY = {
    "chaos_proxy": ("ChaosProxy",),
    "collecting": ("acollect", "collect"),
    "contracts": (
        "LawBroken",
        "assert_format_contract",
        "assert_sink_contract",
        "assert_source_contract",
        "assert_store_contract",
        "assert_transform_contract",
    ),
    "emulator": ("EmulatedEndpoint", "Response", "ScriptedToken", "SeenRequest"),
    "faults": ("FAULTS", "Fault"),
    "feeding": ("feed_every_way", "run_chain", "visible"),
    "histories": ("assert_one_history",),
    "leaks": ("NoLeaks",),
    "recording": ("HookCall", "HookRecorder", "record_hooks"),
    "scripted": ("ScriptedSource", "replay"),
}


def __getattr__(name: str) -> Any:
    if name == "faults":
        return import_module("streamkit.testing.faults")
    for module, names in _LAZY.items():
        if name in names:
            value = globals()[name] = getattr(import_module(f"streamkit.testing.{module}"), name)
            return value
    raise AttributeError(f"module 'streamkit.testing' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
