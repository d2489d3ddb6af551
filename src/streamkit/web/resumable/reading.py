"""The reader's end on the wire: the bytes of a log, with ids where the protocol has a place for them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence

from streamkit.errors import StreamGoneError, TruncatedStreamError
from streamkit.stores import LogEntry, LogReader


async def stream_bytes(reader: LogReader, *, keep_alive: float | None = None) -> AsyncGenerator[bytes, None]:
    """Yield a log as the body of a response: what it has so far, and then what comes, to its end.

    1. Server-sent events get an `id` line each, `<epoch>-<seq>`; `Last-Event-ID` is the last one that a client got.
    2. Entries that are there together go out together.
    3. Where the next entry is not kept any more, the body ends with an event named `gap` that says in the stream's own
       protocol that it has failed: never with a silent hole.
    4. Where the protocol has no word for an end that is not good, `TruncatedStreamError` is raised, and the connection
       must be broken.

    Args:
        reader: What `StreamStore.read` returned.
        keep_alive: Seconds of silence after which to say so, in formats that have a word for it.

    Yields:
        Whole messages of the protocol.

    Raises:
        TruncatedStreamError: See 4.
        StoreError: The store failed.
    """
    head = reader.head
    has_ids = head.headers["content-type"].startswith("text/event-stream")
    silence = keep_alive if head.keep_alive else None
    while True:
        try:
            async with asyncio.timeout(silence):
                entries = await anext(reader)
        except TimeoutError:
            yield head.keep_alive
            continue
        except StopAsyncIteration:
            return
        except StreamGoneError as error:
            if not head.will:
                raise TruncatedStreamError(str(error)) from error
            yield b"event: gap\n" + head.will if has_ids else head.will
            return
        data = _with_ids(entries) if has_ids else b"".join(entry.data for entry in entries)
        if data:
            yield data
        last = entries[-1]
        if last.end not in {None, "finished"} and not last.data:
            raise TruncatedStreamError(f"the stream was {last.end}, which its format has no word for")


def _with_ids(entries: Sequence[LogEntry]) -> bytes:
    return b"".join(b"id: %d-%d\n%b" % (entry.epoch, entry.seq, entry.data) for entry in entries if entry.data)
