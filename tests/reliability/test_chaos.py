"""The chaos run itself: `make chaos` plays it in full, and this once."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_nothing_is_lost_or_leaked():
    """Rows 3, 13, 22, 25, 26, 30, 34 and 36 of the matrix, in both drivers, with each sink."""
    command = [sys.executable, "-m", "chaos", "--repetitions", "1", "--no-memory", "--no-peer"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 - our own
    assert done.returncode == 0, done.stdout + done.stderr
    rows = [line.split() for line in done.stdout.splitlines()[1:] if "sync" in line]
    assert len(rows) == 8 * 2 * 3
    assert all(row[-3:] == ["1", "0", "0"] for row in rows)
