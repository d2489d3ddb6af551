"""Run the benchmarks named on the command line, or all, each in a process of its own: `python -m benchmarks chain`."""

from __future__ import annotations

import subprocess
import sys

ALL = ("chain", "peers", "hooks", "matcher", "reading", "first_token", "memory", "imports")


def main(names: list[str]) -> None:
    """Run them; one that breaks is reported and does not keep the others from running."""
    for name in names or ALL:
        if name not in ALL:
            sys.exit(f"no benchmark {name!r}: they are {', '.join(ALL)}")
        if subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=False).returncode:
            print(f"\n{name}: could not be run, see above")


if __name__ == "__main__":
    main(sys.argv[1:])
