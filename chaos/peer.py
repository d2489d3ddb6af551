"""The same faults against the streaming client that most people use, for comparison."""

from __future__ import annotations

import asyncio
import gc
import os
from collections import Counter
from contextlib import ExitStack
from typing import Any

from chaos.cases import EOS, TRUTH, WORDS, Case
from chaos.trial import offset
from streamkit.testing import ChaosProxy, EmulatedEndpoint

os.environ |= {"DO_NOT_TRACK": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}

TIMEOUT = 0.3
"""Seconds: its read timeout; without one it waits for ever."""


def attempt(case: Case, *, asynchronous: bool) -> str:
    """Run one trial, and return what came of it."""
    with ExitStack() as stack:
        server = stack.enter_context(EmulatedEndpoint([*WORDS, EOS], faults=case.faults))
        url = server.url
        if case.half_open:
            url = stack.enter_context(ChaosProxy(url, half_open_after=offset(case.sent))).url
        trial = _arun(url, case, server) if asynchronous else None
        outcome = asyncio.run(trial) if trial else _run(url, case, server)
    gc.collect()
    return outcome


def _run(url: str, case: Case, server: EmulatedEndpoint) -> str:
    from huggingface_hub import InferenceClient

    pieces: list[str] = []
    client = InferenceClient(model=url, token="hf_none", timeout=TIMEOUT)  # noqa: S106 - no secret
    try:
        for token in client.text_generation("Hi", stream=True, details=True):
            _take(token, pieces)
            if case.leaves and len(pieces) == case.sent:
                break
    except Exception as error:  # noqa: BLE001 - it may be anything
        return _failed(error)
    return _ended(case, pieces, server)


async def _arun(url: str, case: Case, server: EmulatedEndpoint) -> str:
    from huggingface_hub import AsyncInferenceClient

    pieces: list[str] = []
    client = AsyncInferenceClient(model=url, token="hf_none", timeout=TIMEOUT)  # noqa: S106 - no secret
    try:
        async for token in await client.text_generation("Hi", stream=True, details=True):
            _take(token, pieces)
            if case.leaves and len(pieces) == case.sent:
                break
    except Exception as error:  # noqa: BLE001 - it may be anything
        return _failed(error)
    return await asyncio.to_thread(_ended, case, pieces, server)


def _take(token: Any, pieces: list[str]) -> None:
    if not token.token.special:
        pieces.append(token.token.text)


def _failed(error: Exception) -> str:
    return "error with text" if getattr(error, "result", None) else "error without text"


def _ended(case: Case, pieces: list[str], server: EmulatedEndpoint) -> str:
    if case.leaves:
        return "closed" if server.requests[-1].client_left.wait(0.1) else "still connected"
    return "whole" if "".join(pieces) == TRUTH and case.outcome == "completed" else "silent success"


COLUMNS = ("silent success", "error without text", "still connected", "whole", "closed")


def count(outcomes: list[str]) -> list[int]:
    """Return how often each outcome came, in the order of `COLUMNS`."""
    counted = Counter(outcomes)
    return [counted[column] for column in COLUMNS]
