"""Streams that outlive their readers: a run goes on when a client leaves, and any number of clients can follow it.

`ResumableRuns` starts, reads and stops them; `MemoryStore` keeps their logs in this process. Another `StreamStore`
keeps them where other processes find them.
"""

from streamkit.stores.memory import MemoryStore
from streamkit.web.resumable.reading import stream_bytes
from streamkit.web.resumable.runs import ResumableRuns, Started

__all__ = ["MemoryStore", "ResumableRuns", "Started", "stream_bytes"]
