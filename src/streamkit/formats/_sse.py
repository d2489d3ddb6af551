"""Server-sent events: the framing of every engine but Ollama's native API (WHATWG HTML, 9.2.5 and 9.2.6).

Kept: `data`, the event name `error`, and the field `error`, which llama.cpp's server wrote until mid-2025 where
others write `data`. Ignored, as nothing here resumes a stream: comments, `id`, `retry`, other names and fields.
"""

from __future__ import annotations

from streamkit.formats._framing import Frame
from streamkit.formats._lines import LineSplitter


class EventStream:
    """The state of cutting one body into events.

    1. Holds back an event until its blank line.
    2. Releases each event that has data; several `data` lines are joined by LF.
    3. Stops, with `exceeded` set, at an event whose lines have more than `limit` bytes together; earlier events
       stand. No more than that and one chunk is ever held.
    4. Costs two slices per event where every event is one `data` line between LFs, as all known engines write it;
       any other shape goes line by line, about twice that.
    """

    __slots__ = ("_clean", "_data", "_error_field", "_limit", "_lines", "_name", "_offset", "_size", "exceeded")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lines = LineSplitter(limit)
        self.exceeded = False
        self._clean = False  # true between two events, but for the start, where there may be a byte order mark
        self._data: list[bytes] = []
        self._size = 0
        self._offset = 0
        self._name = b""
        self._error_field = False

    def feed(self, chunk: bytes) -> list[Frame]:
        """Return the events that this chunk completes."""
        frames: list[Frame] = []
        if not self._clean:
            end = chunk.find(b"\n\n") + 2  # LF LF always ends an event, so the rest starts clean
            if end < 2:
                self._slow(chunk, frames)
                return frames
            self._slow(chunk[:end], frames)
            if self.exceeded:
                return frames
            chunk = chunk[end:]
        if b"\r" in chunk or len(chunk) > self._limit:
            self._slow(chunk, frames)
        elif chunk:
            self._fast(chunk, frames)
        return frames

    def flush(self) -> list[Frame]:
        """Return the event that was left without its blank line, if it has data."""
        frames: list[Frame] = []
        if not self.exceeded:
            for offset, line in self._lines.flush():
                self._field(offset, line)
            self._dispatch(frames)
        return frames

    def _fast(self, chunk: bytes, frames: list[Frame]) -> None:
        """Take a chunk without CR that begins between two events."""
        blocks = chunk.split(b"\n\n")
        rest = blocks.pop()
        position = self._lines.position
        single = chunk.count(b"\n") == 2 * len(blocks)  # no block has two lines
        for block in blocks:
            if block[:6] == b"data:{" and (single or b"\n" not in block):
                frames.append((position, block[5:], False))
                position += len(block) + 2
            elif block[:7] == b"data: {" and (single or b"\n" not in block):
                frames.append((position, block[6:], False))
                position += len(block) + 2
            else:
                self._lines.position = position
                self._slow(block + b"\n\n", frames)
                position = self._lines.position
        self._lines.position = position
        if rest:
            self._slow(rest, frames)

    def _slow(self, chunk: bytes, frames: list[Frame]) -> None:
        if self.exceeded:
            return
        for offset, line in self._lines.feed(chunk):
            self._size += len(line)
            if self._size > self._limit:
                self.exceeded = True
                break
            if line:
                self._field(offset, line)
            else:
                self._dispatch(frames)
        self.exceeded |= self._lines.exceeded or self._size + self._lines.pending > self._limit
        self._clean = self._size == 0 and self._lines.idle and not self.exceeded

    def _field(self, offset: int, line: bytes) -> None:
        name, _, value = line.partition(b":")  # a comment is a field without a name
        value = value.removeprefix(b" ")
        if name == b"event":
            self._name = value
        elif name in {b"data", b"error"}:
            self._error_field = self._error_field or name == b"error"
            self._offset = self._offset if self._data else offset
            self._data.append(value)

    def _dispatch(self, frames: list[Frame]) -> None:
        if self._data:
            data = b"\n".join(self._data)
            if data:
                frames.append((self._offset, data, self._error_field or self._name == b"error"))
        self._data = []
        self._size = 0
        self._name = b""
        self._error_field = False
