"""Measure the gateway under load: `python -m benchmarks.server`, or smaller with `--streams 200 --seconds 3`."""

from __future__ import annotations

import argparse
import os
import secrets
import statistics
from collections.abc import Callable, Iterable
from contextlib import ExitStack

from benchmarks._measure import Row, show
from benchmarks.server import servers
from benchmarks.server.arrivals import Figures
from benchmarks.server.load import Load, measure
from benchmarks.server.process import cpus

RATE = 20.0
KEPT = 0.95
"""Part of the tokens that must arrive in time. Where fewer do, they come several at once and are cheaper, and late."""
FULL = 0.9
"""Share of its core from which on a server is itself what is slow, and not the machine."""
SLOW = 1.0
"""Tokens a second where the size of a stream is measured, not its work."""


class Bench:
    """The measurements of one run.

    Args:
        options: From the command line.
        stack: Ends the servers.
    """

    def __init__(self, options: argparse.Namespace, stack: ExitStack) -> None:
        self._options = options
        self._stack = stack
        self._server_cpu, self._other_cpu = cpus()
        self._upstream = stack.enter_context(servers.upstream(self._other_cpu))
        self._ready = stack.enter_context(servers.ready(self._server_cpu))
        self._gateway = stack.enter_context(servers.gateway(self._server_cpu, self._upstream[1]))
        self._notes: list[str] = []

    def rows(self) -> Iterable[Row | str]:
        """Measure, and yield the lines of the table."""
        yield from self._cost_and_delay(min(100, self._options.streams))
        yield from self._crowd(self._options.streams)
        yield self._size(self._options.streams)
        yield from self._beside(min(50, self._options.streams))
        yield from self._notes

    def _cost_and_delay(self, streams: int) -> Iterable[Row]:
        ready, gateway, direct = self._in_turn(
            lambda: self._load("ready-made bytes", self._ready, streams),
            lambda: self._load("gateway", self._gateway, streams, cleaned=True),
            lambda: self._load("upstream", self._upstream, streams),
        )
        yield _cost(f"CPU for a token, {streams} streams", gateway, ready)
        for place, (name, bound) in enumerate((("p50", 1), ("p99", 10))):
            added = _median(one.delay[place] for one in gateway if one.delay)
            plain = _median(one.delay[place] for one in direct if one.delay)
            yield _bound(f"delay added, {streams} streams, {name}", "ms", added - plain, bound, gateway, direct)

    def _crowd(self, streams: int) -> Iterable[Row]:
        ready, gateway = self._in_turn(
            lambda: self._load("ready-made bytes", self._ready, streams),
            lambda: self._load("gateway", self._gateway, streams, cleaned=True),
        )
        yield _cost(f"CPU for a token, {streams} streams", gateway, ready)
        yield Row(
            what="the same as a share of one core",
            ours=_median(one.core * 100 for one in gateway),
            reference=_median(one.core * 100 for one in ready),
            unit="%",
        )
        for place, name in enumerate(("p50", "p99")):
            gap, theirs = (_median(one.gaps[place] for one in each) for each in (gateway, ready))
            self._notes.append(f"gaps of ready-made bytes, {streams} streams, {name}: {theirs:.1f} ms")
            bound = 100 if name == "p99" else None
            yield _bound(f"gap between tokens, {streams} streams, {name}", "ms", gap, bound, gateway)
        failed = sum(sum(one.failures.values()) for one in gateway)
        yield Row(what=f"failed streams of {streams * len(gateway)}", ours=failed, unit="streams", target=0)

    def _size(self, streams: int) -> Row:
        with servers.gateway(self._server_cpu, self._upstream[1]) as fresh:
            held = self._load("gateway, slow", fresh, streams, rate=SLOW, seconds=0)
        return Row(what=f"memory of a stream, up to {streams}", ours=held.memory, unit="KiB", target=100)

    def _beside(self, streams: int) -> Iterable[Row | str]:
        key = f"sk-{secrets.token_hex(16)}"
        try:
            proxy = self._stack.enter_context(servers.litellm(self._server_cpu, self._upstream[1], key))
        except (OSError, RuntimeError) as error:
            yield f"LiteLLM's proxy: not measured ({error})"
            return
        gateway, peer, direct = self._in_turn(
            lambda: self._load("gateway, OpenAI", self._gateway, streams, openai=True),
            lambda: self._load("LiteLLM's proxy", proxy, streams, openai=True, key=key),
            lambda: self._load("upstream, OpenAI", self._upstream, streams, openai=True),
        )
        what = f"LiteLLM's proxy, OpenAI, {streams} streams:"
        yield _ahead(f"{what} CPU", "µs/token", (_median(one.cpu for one in each) for each in (gateway, peer)))
        for place, name in enumerate(("p50", "p99")):
            ours, theirs, plain = (
                _median(one.delay[place] for one in each if one.delay) for each in (gateway, peer, direct)
            )
            yield _ahead(f"{what} delay {name}", "ms", (ours - plain, theirs - plain))

    def _in_turn(self, *jobs: Callable[[], Figures]) -> list[list[Figures]]:
        rounds = [[job() for job in jobs] for _ in range(self._options.rounds)]
        return [list(each) for each in zip(*rounds, strict=True)]

    def _load(
        self,
        name: str,
        server: tuple[int, int],
        streams: int,
        *,
        rate: float = RATE,
        seconds: float | None = None,
        openai: bool = False,
        cleaned: bool = False,
        key: str = "",
    ) -> Figures:
        load = Load(
            port=server[1],
            pid=server[0],
            protocol="openai" if openai else "tgi",
            streams=streams,
            rate=rate,
            seconds=self._options.seconds if seconds is None else seconds,
            cleaned=cleaned,
            key=key,
        )
        found = measure(load, self._other_cpu)
        print(
            f"{name:<18} {streams:>5} streams {found.tokens:>7} tokens {found.cpu:7.1f} µs/token "
            f"{found.core:6.1%} of a core, gaps {_pair(found.gaps)}, delay {_pair(found.delay)}, "
            f"load {os.getloadavg()[0]:.1f}",
            flush=True,
        )
        if found.failures:
            self._notes.append(f"{name}, {streams} streams: failed: {found.failures}")
        if load.seconds and found.pace < KEPT:
            why = "the machine was busy, no verdict" if _starved(found) else "it had no more CPU"
            self._notes.append(f"{name}, {streams} streams: {found.pace:.0%} of the tokens came in time: {why}")
        if not found.full:
            self._notes.append(f"{name}, {streams} streams: some ended before all was measured")
        return found


def _cost(what: str, ours: list[Figures], theirs: list[Figures]) -> Row:
    mine, reference = (_median(one.cpu for one in each) for each in (ours, theirs))
    return Row(what=what, ours=mine, reference=reference, target=3 if _kept(ours, theirs) else None)


def _bound(what: str, unit: str, value: float, bound: float | None, *measured: list[Figures]) -> Row:
    return Row(what=what, ours=value, unit=unit, target=bound if _kept(*measured) else None)


def _kept(*measured: list[Figures]) -> bool:
    """Return whether nothing but the server kept tokens from coming in time; else there is no verdict."""
    return not any(_starved(one) for each in measured for one in each)


def _starved(figures: Figures) -> bool:
    return figures.pace < KEPT and figures.core < FULL


def _ahead(what: str, unit: str, pair: Iterable[float]) -> Row:
    ours, theirs = pair
    return Row(what=what, ours=ours, reference=theirs, unit=unit, inverse=True, above=True, target=1)


def _median(values: Iterable[float]) -> float:
    return statistics.median(values)


def _pair(times: tuple[float, float] | None) -> str:
    return "unknown" if times is None else f"{times[0]:.2f} / {times[1]:.2f} ms"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.server", description=__doc__)
    parser.add_argument("--streams", type=int, default=1000, help="streams of the crowd")
    parser.add_argument("--seconds", type=float, default=8.0, help="how long each load is measured")
    parser.add_argument("--rounds", type=int, default=2, help="how often the servers take turns")
    options = parser.parse_args()
    if options.streams < 2 or options.seconds <= 0 or options.rounds < 1:
        parser.error("streams must be 2 or more, seconds more than 0, rounds 1 or more")
    pinned = "servers on one core, upstream and generator on another" if None not in cpus() else "all on one core"
    print(f"load average {os.getloadavg()[0]:.1f} before; {pinned}; {RATE:g} tokens a second for each stream")
    with ExitStack() as stack:
        rows = list(Bench(options, stack).rows())
    show("Gateway: against ready-made bytes on uvicorn, and beside LiteLLM's proxy", *rows)
    print(f"load average {os.getloadavg()[0]:.1f} after")


if __name__ == "__main__":
    main()
