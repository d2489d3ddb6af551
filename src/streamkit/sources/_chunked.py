"""The chunked coding of HTTP/1.1, undone with little work for each chunk, since engines send one for each token.

urllib3 and http.client spend more on a chunk than all the rest of streamkit does on a token. Source: RFC 9112, 7.1.
"""

from __future__ import annotations

from typing import Final

from urllib3.exceptions import ProtocolError

MAX_LINE: Final = 4096
"""Bound of the line before a chunk, in bytes: its size and extensions."""


class Dechunker:
    """The state of undoing the coding of one body.

    1. Holds back an unfinished size line, and half of a line end.
    2. Releases the data of a chunk as it comes: the server's word for the size of a chunk is no bound.
    3. Stops at the last chunk, with `complete` set; what follows (trailers) is not looked at.
    4. Costs a search, a number and a slice for each chunk.

    Attributes:
        complete: True once the last chunk was seen.
    """

    __slots__ = ("_left", "_tail", "complete")

    def __init__(self) -> None:
        self._tail = b""
        self._left = 0  # what is to come of the current chunk, in bytes with its line end; 0 before a size line
        self.complete = False

    def feed(self, coded: bytes) -> bytes:
        """Take what has come, however it was cut, and return the data in it.

        Raises:
            ProtocolError: It is not in this coding.
        """
        if self.complete:
            return b""
        if self._tail:
            coded = self._tail + coded
            self._tail = b""
        pieces: list[bytes] = []
        position, end, left = 0, len(coded), self._left
        while position < end:
            if not left:
                line_end = coded.find(b"\r\n", position, position + MAX_LINE)
                if line_end < 0:
                    if end - position >= MAX_LINE:
                        raise ProtocolError("the line before a chunk is too long")
                    self._tail = coded[position:]
                    break
                left = _size(coded[position:line_end]) + 2
                position = line_end + 2
                if left == 2:
                    self.complete = True
                    break
            data_end = position + left - 2
            pieces.append(coded[position:data_end])
            if data_end + 2 > end:
                self._tail = coded[data_end:]
                left = max(2, left - (end - position))
                break
            if coded[data_end : data_end + 2] != b"\r\n":
                raise ProtocolError("a chunk does not end where it should")
            position = data_end + 2
            left = 0
        self._left = left
        return b"".join(pieces)


def _size(line: bytes) -> int:
    digits = line if line.isalnum() else line.partition(b";")[0].strip(b" \t")
    if not digits.isalnum():  # `int` would also take a sign and underscores
        raise ProtocolError("a chunk begins without its size")
    try:
        return int(digits, 16)
    except ValueError:
        raise ProtocolError("the size of a chunk is no number") from None
