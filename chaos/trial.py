"""One trial: a run through a fault, and what it lost or leaked."""

from __future__ import annotations

import asyncio
import io
import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any, Final

import attrs

from chaos.cases import EOS, TRUTH, WORDS, BugError, Case
from streamkit import (
    Callback,
    Collect,
    Console,
    Endpoint,
    JsonLines,
    Pipeline,
    RunResult,
    SkipSpecialTokens,
    StreamTimeoutError,
    Timeouts,
)
from streamkit.testing import ChaosProxy, EmulatedEndpoint, NoLeaks

PATIENT: Final = Timeouts(connect=10, first_token=10, between_tokens=10, total=20)
QUICK: Final = Timeouts(connect=10, first_token=0.2, between_tokens=0.2, total=20)
"""Where running out of patience is what a trial is about."""
UPSTREAM_CLOSED: Final = 1.0
"""Seconds until the server must know that a consumer has left."""


@attrs.define
class Verdict:
    """What was wrong with a trial; nothing, as a rule."""

    lost: list[str] = attrs.field(factory=list)
    leaked: list[str] = attrs.field(factory=list)


@attrs.define
class Kept:
    """A sink under trial, and how to read back what it kept."""

    sink: Any
    texts: Callable[[], list[str]]


def kept_by(name: str, folder: Path) -> Kept:
    """Return a sink of a kind; its `texts` returns the pieces that it kept, or raises."""
    if name == "console":
        file = io.StringIO()
        return Kept(Console(file=file), lambda: [file.getvalue()])
    if name == "collect":
        collect = Collect()
        return Kept(collect, lambda: [getattr(event, "text", "") for run in collect.runs for event in run.events])
    path = folder / "lines.jsonl"
    path.unlink(missing_ok=True)
    return Kept(JsonLines(path, per="event"), lambda: _read_lines(path))


SINKS: Final = ("console", "JSON lines", "collect")


def _read_lines(path: Path) -> list[str]:
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    if not lines or [line["type"] == "result" for line in lines] != [False] * (len(lines) - 1) + [True]:
        raise ValueError("the result is not the last line, once")
    return [line["text"] for line in lines if line["type"] == "token"]


def attempt(case: Case, sink: str, folder: Path, *, asynchronous: bool) -> Verdict:
    """Run one trial."""
    verdict = Verdict()
    try:
        # Around the servers too: a connection that is half open has two ends that only its proxy can close.
        with NoLeaks():
            _attempt(case, sink, folder, verdict, asynchronous=asynchronous)
    except AssertionError as left:
        verdict.leaked.append(str(left))
    return verdict


def _attempt(case: Case, sink: str, folder: Path, verdict: Verdict, *, asynchronous: bool) -> None:
    results = list[RunResult]()
    with ExitStack() as stack:
        server = stack.enter_context(EmulatedEndpoint([*WORDS, EOS], faults=case.faults))
        url = server.url
        if case.half_open:
            url = stack.enter_context(ChaosProxy(url, half_open_after=offset(case.sent))).url
        kept = kept_by(sink, folder)
        pipeline = _pipeline(url, case, kept, results)
        pieces, error = asyncio.run(_arun(pipeline, case)) if asynchronous else _run(pipeline, case)
        verdict.lost.extend(_judge(case, pieces, error, results, kept))
        if case.leaves and not server.requests[-1].client_left.wait(UPSTREAM_CLOSED):
            verdict.leaked.append("the server was not told that the consumer left")


def _pipeline(url: str, case: Case, kept: Kept, results: list[RunResult]) -> Pipeline:
    seen = iter(range(1, 10**9))

    def bug(_text: str) -> None:
        if next(seen) == case.sent:
            raise BugError("chaos")

    timeouts = QUICK if case.error is StreamTimeoutError else PATIENT
    source = Endpoint(url, api="tgi", token=False, timeouts=timeouts)
    sinks = [kept.sink, Callback(bug)] if case.breaks == "sink" else [kept.sink]
    hooks: list[Any] = [{"on_final": lambda result: results.append(result)}]  # noqa: PLW0108 - called by its name
    if case.breaks == "hook":
        hooks.append({"on_text": lambda text: bug(text)})  # noqa: PLW0108 - as above
    return Pipeline(source, transforms=(SkipSpecialTokens(),), sinks=sinks, callbacks=hooks)


def _run(pipeline: Pipeline, case: Case) -> tuple[list[str], Exception | None]:
    pieces: list[str] = []
    try:
        with pipeline.stream("Hi") as stream:
            for piece in stream:
                pieces.append(piece)
                time.sleep(case.slow)
                if case.leaves and len(pieces) == case.sent:
                    break
    except Exception as error:  # noqa: BLE001 - judged later
        return pieces, error
    return pieces, None


async def _arun(pipeline: Pipeline, case: Case) -> tuple[list[str], Exception | None]:
    pieces: list[str] = []
    failure: Exception | None = None
    try:
        async with pipeline.astream("Hi") as stream:
            async for piece in stream:
                pieces.append(piece)
                await asyncio.sleep(case.slow)
                if case.leaves and len(pieces) == case.sent:
                    break
    except Exception as error:  # noqa: BLE001 - judged later
        failure = error
    left = asyncio.all_tasks() - {asyncio.current_task()}
    if left:
        raise AssertionError(f"left behind: {left}")
    return pieces, failure


def _judge(
    case: Case, pieces: list[str], error: Exception | None, results: list[RunResult], kept: Kept
) -> Iterator[str]:
    """Yield what was lost: nothing that was sent may be missing, nothing may be made up, and there is one end."""
    text, sent = "".join(pieces), "".join(WORDS[: case.sent])
    if len(results) != 1:
        yield f"{len(results)} results"
        return
    result = results[0]
    if result.outcome != case.outcome or type(error) is not (case.error or type(None)):
        yield f"{result.outcome} with {error!r}"
    whole = TRUTH if not case.leaves else text  # an endless answer has no whole
    if not (whole.startswith(text) and whole.startswith(result.text) and result.text.startswith(text)):
        yield f"not a prefix: {text!r}, {result.text!r}"
    # What fails on our side fails before the consumer has the token.
    if not (result.text if case.breaks else text).startswith(sent):
        yield f"{sent!r} was sent and only {text!r} arrived"
    if error is not None and getattr(error, "result", result) is not result:
        yield "the error has another result"
    try:
        written = "".join(kept.texts())
    except (ValueError, KeyError) as damage:
        yield f"what was written cannot be read: {damage}"
        return
    if written != result.text:
        yield f"the sink has {written!r} of {result.text!r}"


@cache
def offset(tokens: int) -> int:
    """Return how many bytes a server sends until some tokens are whole, and half of the next; measured."""
    body = b'{"inputs":"Hi","stream":true,"parameters":{"details":true,"return_full_text":false}}'
    with EmulatedEndpoint([*WORDS, EOS]) as server:
        port = int(server.url.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
            connection.sendall(head % len(body) + body)
            seen = b""
            while not seen.endswith(b"0\r\n\r\n"):
                seen += connection.recv(65536)
    place = seen.index(b"\r\n\r\n") + 4
    for _ in range(tokens):
        place = seen.index(b"\n\n", place) + 2
    return place + 20
