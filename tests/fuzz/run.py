"""Fuzz every target for a bounded time, each in a process of its own: `python tests/fuzz/run.py [--seconds 60]`.

New inputs are kept for the run only. An input that breaks a target is shown and stays in the directory `findings`,
which is named at the end; once the bug is fixed, move it to `corpus/<target>`, which the unit tests play too.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

HERE = Path(__file__).parent
SHARED = HERE.parent / "conformance" / "transcripts"


def main() -> int:
    """Run the targets and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=60, help="for all targets together")
    parser.add_argument("--target", help="this one, in this process; used by the program itself")
    options, rest = parser.parse_known_args()
    if options.target:
        return fuzz(options.target, rest)
    sys.path.insert(0, str(HERE))
    from targets import TARGETS

    seconds = max(1, options.seconds // len(TARGETS))
    broken = [name for name in TARGETS if not survives(name, seconds)]
    print(f"\n{len(TARGETS) - len(broken)} of {len(TARGETS)} targets survived {seconds} s each", *broken)
    return bool(broken)


def survives(name: str, seconds: int) -> bool:
    """Fuzz one target in a process of its own."""
    findings = HERE / "findings"
    findings.mkdir(exist_ok=True)
    corpora = [folder for folder in (HERE / "corpus" / name, SHARED) if folder.exists()]
    with TemporaryDirectory() as found:
        command = [sys.executable, __file__, "--target", name, found, *map(str, corpora)]
        limits = [
            f"-max_total_time={seconds}",
            "-max_len=1024",
            "-rss_limit_mb=1024",
            "-timeout=10",
            f"-artifact_prefix={findings}/{name}-",
        ]
        done = subprocess.run([*command, *limits], stderr=subprocess.PIPE, text=True, check=False)
    last = [line for line in done.stderr.splitlines() if line.startswith("Done ") or "cov:" in line][-1:]
    print(f"{name:<12}", "survived" if done.returncode == 0 else "BROKEN", *last, sep="  ")
    if done.returncode:
        print(done.stderr[-4000:])
    return done.returncode == 0


def fuzz(name: str, arguments: list[str]) -> int:
    """Fuzz one target here, until libFuzzer's limits end the process."""
    import atheris

    with atheris.instrument_imports(include=["streamkit"]):
        sys.path.insert(0, str(HERE))
        from targets import TARGETS
    atheris.Setup([name, *arguments], TARGETS[name])
    atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main())
