"""How a log looks in Redis: one stream per log, whose entry ids are those of the log itself."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, TypeAlias, cast

import attrs
from streamkit import LogEntry, LogHead

Raw: TypeAlias = tuple[bytes, Mapping[bytes, bytes]]
"""An entry as Redis gives it."""


@attrs.frozen
class Keys:
    """The keys of one stream; they share a hash tag.

    Args:
        log: The entries: a start at `<epoch>-0`, then those of the run, and perhaps a marker at `<epoch+1>-0`.
        lease: There while the producer lives.
        control: Wishes to stop.
    """

    log: str
    lease: str
    control: str

    @classmethod
    def of(cls, prefix: str, stream_id: str) -> Keys:
        """Return the keys of a stream."""
        base = f"{prefix}:{{{stream_id}}}"
        return cls(f"{base}:log", f"{base}:lease", f"{base}:ctl")


def write_head(head: LogHead) -> dict[Any, Any]:
    """Return the fields of the start."""
    return {"h": json.dumps(dict(head.headers)), "k": head.keep_alive, "w": head.will}


def read_head(raw: Raw) -> LogHead:
    """Return what the start of a run says."""
    fields = raw[1]
    return LogHead(headers=json.loads(fields[b"h"]), keep_alive=fields[b"k"], will=fields[b"w"])


def is_start(raw: Raw) -> bool:
    """Tell whether an entry is the start of a run."""
    return b"h" in raw[1]


def write_entry(entry: LogEntry) -> dict[Any, Any]:
    """Return the fields of an entry."""
    return {"d": entry.data, "e": entry.end} if entry.end else {"d": entry.data}


def read_entry(raw: Raw) -> LogEntry:
    """Return an entry that is no start."""
    epoch, _, seq = raw[0].partition(b"-")
    end = raw[1].get(b"e")
    return LogEntry(int(epoch), int(seq), raw[1][b"d"], cast("Any", end.decode()) if end else None)


def is_end(raw: Raw) -> bool:
    """Tell whether an entry is the last of its run."""
    return b"e" in raw[1]


def run_of(raw: Raw) -> int:
    """Return the epoch of the run that an entry belongs to; the marker of a lost run stands at the next one."""
    epoch = int(raw[0].partition(b"-")[0])
    return epoch - 1 if raw[1].get(b"e") == b"lost" else epoch


def marker_of(epoch: int, will: bytes) -> LogEntry:
    """Return what stands in the log in the place of a dead producer's end."""
    return LogEntry(epoch + 1, 0, will, "lost")
