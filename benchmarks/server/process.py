"""Processes of this benchmark: how they are started, kept on a CPU and ended, and what they use."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Final

LONGEST: Final = 300.0
"""Seconds after which a run of the generator is ended."""
STARTING: Final = 60.0
"""Seconds that a server has to start."""
TICKS: Final = os.sysconf("SC_CLK_TCK")


def cpus() -> tuple[int | None, int | None]:
    """Return the CPU of the servers, and that of the generator and the upstream; `None` where there is but one."""
    free = sorted(os.sched_getaffinity(0))
    return (free[0], free[1]) if len(free) > 1 else (None, None)


def cpu(pid: int) -> float:
    """Return the CPU time that a process has used, in seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def memory(pid: int) -> int:
    """Return the memory of a process, in bytes, with its share of what it shares."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("this kernel does not tell the size of a process")


def output(module: str, *arguments: str, cpu: int | None) -> str:
    """Run a module to its end and return what it printed."""
    command = [sys.executable, "-m", module, *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        _pin(process, cpu)
        try:
            said, _ = process.communicate(timeout=LONGEST)
        except BaseException:
            process.kill()
            raise
    if process.returncode:
        raise RuntimeError(f"{module} failed")
    return said


@contextmanager
def running(
    command: Sequence[str], *, cpu: int | None, port: int | None = None, environment: Mapping[str, str] = {}
) -> Iterator[tuple[int, int]]:
    """Run a server; gives its process and its port.

    Args:
        command: What to run.
        cpu: The CPU to run on.
        port: Where it will listen; if `None`, the first line that it prints says so.
        environment: Variables besides this process's own.
    """
    # What a server logs is read only where it does not start.
    with TemporaryFile("w+") as log:
        pipe = subprocess.PIPE if port is None else log
        process = subprocess.Popen(command, stdout=pipe, stderr=log, text=True, env={**os.environ, **environment})
        try:
            _pin(process, cpu)
            if port is None:
                assert process.stdout is not None
                port = int(process.stdout.readline())
            else:
                _await_port(process, port, log)
            yield process.pid, port
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def free_port() -> int:
    """Return a port of this machine that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def _pin(process: subprocess.Popen[str], cpu: int | None) -> None:
    if cpu is not None:
        os.sched_setaffinity(process.pid, {cpu})


def _await_port(process: subprocess.Popen[str], port: int, log: IO[str]) -> None:
    deadline = time.monotonic() + STARTING
    while time.monotonic() < deadline:
        if process.poll() is not None:
            log.seek(0)
            raise RuntimeError(f"{process.args!r} did not start:\n{log.read()[-2000:]}")
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"{process.args!r} does not listen after {STARTING:g} seconds")
