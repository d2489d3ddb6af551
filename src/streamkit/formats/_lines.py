"""Bytes to lines, however the bytes were cut; the ground under every textual framing.

A line ends at LF, CR or CRLF and nowhere else (WHATWG HTML, 9.2.5 "Parsing an event stream"): U+0085, U+2028 and
U+001C are ordinary characters inside a line. `bytes.splitlines` has exactly this rule and runs in C.
"""

from __future__ import annotations

BOM = b"\xef\xbb\xbf"
MAX_EVENT_BYTES = 1024 * 1024
"""Default bound of a line and of an event, in bytes: 1 MiB, far above any token and far below any harm."""


class LineSplitter:
    """The state of cutting one body into lines.

    1. Holds back the unfinished last line, and up to two bytes that may become a byte order mark.
    2. Releases a line as soon as its end is seen; a CR ends a line at once, and an LF that follows it, even in a
       later chunk, belongs to it.
    3. Stops, with `exceeded` set, at the first line longer than `limit`; the lines before it are still returned.
    4. Costs one C call per chunk and one tuple per line; an unfinished line is copied once, when it ends.

    Attributes:
        position: Offset in the body, in bytes, of the line that comes next.
        exceeded: True once a line was too long.
    """

    __slots__ = ("_limit", "_skip_lf", "_started", "_tail", "exceeded", "position")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._tail = bytearray()
        self._started = False
        self._skip_lf = False
        self.position = 0
        self.exceeded = False

    @property
    def idle(self) -> bool:
        """True between two lines, when the next byte certainly starts a line."""
        return self._started and not self._tail and not self._skip_lf

    @property
    def pending(self) -> int:
        """Bytes of the unfinished line held back."""
        return len(self._tail)

    def feed(self, chunk: bytes) -> list[tuple[int, bytes]]:
        """Return the lines that end in this chunk, each with its offset and without its terminator."""
        if self.exceeded:
            return []
        if not self._started:
            chunk = self._start(chunk)
        if self._skip_lf and chunk:
            self._skip_lf = False
            if chunk.startswith(b"\n"):
                chunk = chunk[1:]
                self.position += 1
        pieces = chunk.splitlines(keepends=True)
        if not pieces:
            return []
        unfinished = b"" if pieces[-1].endswith((b"\n", b"\r")) else pieces.pop()
        if pieces and self._tail:
            pieces[0] = bytes(self._tail + pieces[0])
            self._tail.clear()
        self._skip_lf = not unfinished and pieces[-1].endswith(b"\r")
        lines = self._measure(pieces)
        self._tail += unfinished
        self.exceeded = self.exceeded or len(self._tail) > self._limit
        return lines

    def flush(self) -> list[tuple[int, bytes]]:
        """Return the last line if it was left without its end."""
        if not self._tail or self.exceeded:
            return []
        line = bytes(self._tail)
        self._tail.clear()
        return [(self.position, line)]

    def _start(self, chunk: bytes) -> bytes:
        """Drop a byte order mark; return nothing as long as there may be one."""
        head = bytes(self._tail) + chunk
        if len(head) < len(BOM) and BOM.startswith(head):
            self._tail[:] = head
            return b""
        self._started = True
        self._tail.clear()
        if head.startswith(BOM):
            self.position = len(BOM)
            return head[len(BOM) :]
        return head

    def _measure(self, pieces: list[bytes]) -> list[tuple[int, bytes]]:
        """Give each line its offset; cut the list before the first line that is too long."""
        lines = []
        for piece in pieces:
            line = piece.rstrip(b"\r\n")
            if len(line) > self._limit:
                self.exceeded = True
                break
            lines.append((self.position, line))
            self.position += len(piece)
        return lines
