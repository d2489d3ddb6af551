"""Where resumable streams are kept: the shapes of a store, and the values that go in and out.

A store keeps one *log* for each stream id: what a run sent, event by event, in one order that every reader sees. A run
appends to its log whether or not anybody reads; readers come, go and come back. Every entry has an id,
`<epoch>-<seq>`: the epoch is new for each run, `seq` counts from 1 without a gap, and exactly one entry, the last one,
tells how the run ended. The shapes are structural, as in `streamkit.protocols`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Literal, Protocol, TypeAlias

import attrs

Ending: TypeAlias = Literal["finished", "failed", "stopped", "lost"]
"""How a run ended: it came to its end, it raised, somebody stopped it, or its process died."""

Stopped: TypeAlias = Literal["stopping", "pending", "ended"]
"""What became of the wish to stop: a run is told, the next run will be, or the run had ended already."""

Position: TypeAlias = tuple[int, int]
"""A place in a log: epoch and seq of the last entry that was read; seq 0 is before the first."""


@attrs.frozen
class LogEntry:
    """One entry of a log: bytes that a reader gets as they are.

    A last entry without data that is not `finished` says that the format has no word for such an end, so that the
    reader's connection must be broken.

    Args:
        epoch: The run. What is written in the place of a dead producer stands at the next epoch, seq 0, where nothing
            that the producer may still write can come before or after it.
        seq: Place in the run, from 1.
        data: What to send; may be empty in the last entry.
        end: How the run ended, in the last entry only.
    """

    epoch: int
    seq: int
    data: bytes
    end: Ending | None = None

    @property
    def id(self) -> str:
        """The entry's id, `<epoch>-<seq>`."""
        return f"{self.epoch}-{self.seq}"


@attrs.frozen(kw_only=True)
class LogHead:
    """What is known of a stream before its first entry, for readers that come later and elsewhere.

    Args:
        headers: Of the response, by lower-case name; `content-type` at least.
        keep_alive: Bytes that say nothing, as the format writes them; empty where it has none.
        will: What readers are sent in the producer's place if it dies; empty where the format cannot say it.
    """

    headers: Mapping[str, str]
    keep_alive: bytes = b""
    will: bytes = b""


class StreamLog(Protocol):
    """The writing end of a log, held by the one run that may append to it."""

    async def append(self, data: Sequence[bytes]) -> None:
        """Add entries. Readers get none of them before it is kept.

        A store that writes in batches may return earlier; what failed then is raised by the next call.

        Raises:
            FencedError: Another has declared this run dead.
            LimitExceededError: The stream is larger than the store allows.
            StoreError: They could not be kept.
        """
        ...

    async def end(self, ending: Ending, data: Sequence[bytes] = ()) -> None:
        """Add the last entries, the very last marked with the ending. Without data, that one is empty.

        Entries that exceed the limit of a stream are kept all the same, so that each log has its end.

        Raises:
            FencedError: Another has declared this run dead.
            StoreError: They could not be kept.
        """
        ...

    async def stop_requested(self) -> None:
        """Return once somebody wants this run to stop; never otherwise."""
        ...


class LogReader(Protocol):
    """One reader's way through a log: batches of entries, each entry once, in order; after the last one, the end.

    Nothing has to be closed: a reader that is dropped is gone.
    """

    @property
    def head(self) -> LogHead:
        """What was known before the first entry."""
        ...

    @property
    def ended(self) -> bool:
        """Whether the last entry has been read, so that nothing more will come."""
        ...

    def __aiter__(self) -> AsyncIterator[Sequence[LogEntry]]:
        """Return the reader."""
        ...

    async def __anext__(self) -> Sequence[LogEntry]:
        """Wait for the next entries, at least one. To stop waiting and to wait again loses none.

        Raises:
            StreamGoneError: The next entry is not kept any more; what came before it stands.
            StoreError: It could not be read.
        """
        ...


class StreamStore(Protocol):
    """Keeps the logs of resumable streams, each under an id of the application's choice."""

    async def open(self, stream_id: str, head: LogHead) -> StreamLog:
        """Begin the log of a run. One that has ended under the same id gives way to it.

        Raises:
            StreamRunningError: A run under this id goes on; of several that open at once, all but one get this.
            StoreError: The store does not answer.
        """
        ...

    async def read(self, stream_id: str, after: Position | None = None) -> LogReader:
        """Read a log from its first entry, or from the one after a position, and follow it to its end.

        Raises:
            StreamGoneError: There is no such log, or the position is not in it.
            StoreError: The store does not answer.
        """
        ...

    async def stop(self, stream_id: str) -> Stopped:
        """Ask the run under this id to stop, wherever it runs. The wish outlives the moment: see `Stopped`."""
        ...

    async def aclose(self) -> None:
        """Let go of connections and tasks; the logs stay where they are kept."""
        ...


def parse_position(text: str) -> Position | None:
    """Read an entry's id as clients send it back.

    Args:
        text: `<epoch>-<seq>`, two numbers of at most 19 digits.

    Returns:
        The position; `None` if the text is none.
    """
    epoch, dash, seq = text.partition("-")
    if not dash or not all(part.isascii() and part.isdigit() and len(part) <= 19 for part in (epoch, seq)):
        return None
    return int(epoch), int(seq)
