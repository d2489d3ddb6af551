"""`python -m chaos`: break every stream in every way, and count what is lost or leaked.

Exit status 1 when streamkit loses or leaks anything, or takes more memory than it may. The comparison is not judged.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from chaos import memory, peer
from chaos.cases import CASES
from chaos.trial import SINKS, Verdict, attempt

DRIVERS = ("sync", "async")


def main() -> int:
    """Run everything and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m chaos", description="Break streams; see chaos/__main__.py.")
    parser.add_argument("--repetitions", type=int, default=20, help="of each combination")
    parser.add_argument("--seed", type=int, default=0, help="of the dice that choose where a stream breaks")
    parser.add_argument("--no-memory", action="store_true", help="leave the measurements out")
    parser.add_argument("--no-peer", action="store_true", help="leave the comparison out")
    options = parser.parse_args()
    started = time.monotonic()
    good = matrix(options.repetitions, options.seed)
    if not options.no_memory:
        good = measurements() and good
    if not options.no_peer:
        comparison(options.repetitions, options.seed)
    print(f"\n{'nothing lost, nothing leaked' if good else 'SOMETHING IS WRONG'}; {time.monotonic() - started:.0f} s")
    return 0 if good else 1


def matrix(repetitions: int, seed: int) -> bool:
    """Play the matrix, print its table, and tell whether nothing was lost or leaked."""
    print(f"{repetitions} times each{'':<22} survived  lost  leaked")
    good, attempt_of = True, Random(seed)  # noqa: S311 - repeatable, not secret
    with TemporaryDirectory() as folder:
        for name, make in CASES.items():
            for driver in DRIVERS:
                for sink in SINKS:
                    verdicts = [
                        attempt(make(attempt_of), sink, Path(folder), asynchronous=driver == "async")
                        for _ in range(repetitions)
                    ]
                    good = _row(f"{name:<16} {driver:<6} {sink}", verdicts) and good
    return good


def _row(title: str, verdicts: list[Verdict]) -> bool:
    lost = sum(bool(verdict.lost) for verdict in verdicts)
    leaked = sum(bool(verdict.leaked) for verdict in verdicts)
    bad = [verdict for verdict in verdicts if verdict.lost or verdict.leaked]
    print(f"{title:<36} {len(verdicts) - len(bad):>8}  {lost:>4}  {leaked:>6}", flush=True)
    for verdict in bad[:3]:
        print(f"    {'; '.join(verdict.lost + verdict.leaked)}")
    return not bad


def measurements() -> bool:
    """Measure memory, print the table, and tell whether it is within bounds."""
    print(f"\n{'memory':<36} {'MiB':>8}  allowed")
    good = True
    for probe, (title, _, allowed) in memory.PROBES.items():
        for driver in DRIVERS:
            grown = memory.measure(probe, driver)
            good = good and grown < allowed
            print(f"{title:<29} {driver:<6} {grown / 2**20:>8.2f}  {allowed / 2**20:.0f}", flush=True)
    return good


def comparison(repetitions: int, seed: int) -> None:
    """Play the faults that are the network's against huggingface_hub's client."""
    from huggingface_hub import __version__

    print(f"\nhuggingface_hub {__version__:<10}    " + "  ".join(peer.COLUMNS))
    for name in ("cut", "endless line", "stalled", "half open", "consumer leaves", "slow reader"):
        for driver in DRIVERS:
            dice = Random(seed)  # noqa: S311 - repeatable, not secret
            outcomes = [peer.attempt(CASES[name](dice), asynchronous=driver == "async") for _ in range(repetitions)]
            counts = [f"{n:>{len(column)}}" for n, column in zip(peer.count(outcomes), peer.COLUMNS, strict=True)]
            print(f"{name:<16} {driver:<12} " + "  ".join(counts), flush=True)


if __name__ == "__main__":
    sys.exit(main())
