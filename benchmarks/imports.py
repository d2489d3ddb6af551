"""How long until it can be used? `import streamkit` and `streamkit --help`, each in a fresh interpreter; wall time."""

from __future__ import annotations

import subprocess
import sys
import time

from benchmarks._measure import Row, interleaved, show

HEAVY = ("huggingface_hub", "aiohttp", "urllib3", "httpx", "importlib.metadata", "rich", "msgspec")


def wall(*command: str) -> float:
    """Return how long a command takes, in seconds."""
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def main() -> None:
    """Measure and print."""
    python = sys.executable
    code = f"import sys, streamkit; print(*(name for name in {HEAVY!r} if name in sys.modules))"
    loaded = subprocess.run([python, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    taken = interleaved(
        {
            "nothing": lambda: wall(python, "-c", "pass"),
            "streamkit": lambda: wall(python, "-c", "import streamkit"),
            "a pipeline": lambda: wall(python, "-c", "from streamkit import Endpoint, StopSequences, Console"),
            "help": lambda: wall(python, "-m", "streamkit", "--help"),
        },
        rounds=15,
    )
    ms = {name: seconds * 1e3 for name, seconds in taken.items()}
    show(
        "Import: in a fresh interpreter",
        Row(
            what="import streamkit, the interpreter's start taken off",
            ours=ms["streamkit"] - ms["nothing"],
            unit="ms",
            target=80,
        ),
        Row(what="from streamkit import the parts of a pipeline", ours=ms["a pipeline"] - ms["nothing"], unit="ms"),
        Row(what="streamkit --help, the interpreter's start included", ours=ms["help"], unit="ms", target=300),
        Row(what="heavy modules that `import streamkit` loads", ours=len(loaded), unit="modules", target=0),
        *loaded,
    )


if __name__ == "__main__":
    main()
