"""What must hold for any bytes at all, as functions that a fuzzer calls: they return, or raise `AssertionError`.

Each target cuts its input in the places that its first bytes choose, so the fuzzer looks for bad cuts too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from streamkit.events import Finish, Token
from streamkit.formats import FORMATS, decode_whole
from streamkit.formats._lines import LineSplitter
from streamkit.formats._sse import EventStream
from streamkit.transforms import (
    RepairText,
    ScrubEos,
    SkipSpecialTokens,
    Smooth,
    SplitReasoning,
    StopSequences,
    TrimStart,
)

LIMIT = 256
"""Bound of an event in the framing targets, small enough for a fuzzer to reach it, in bytes."""


def cut(data: bytes) -> Iterator[bytes]:
    """Yield the pieces of a body; the first eight bytes of the input say how long they are, in turn."""
    sizes, body = [size % 32 + 1 for size in data[:8]] or [1], data[8:]
    place = turn = 0
    while place < len(body):
        size = sizes[turn % len(sizes)]
        yield body[place : place + size]
        place += size
        turn += 1


DIALECTS: tuple[Any, ...] = tuple(each for name, each in FORMATS.items() if name != "text")
"""All formats but plain text, whose tokens are whatever arrives together."""


def framing(data: bytes) -> None:
    """Server-sent events are the same however they are cut, none is larger than the bound, little is held."""
    whole, pieces = EventStream(LIMIT), EventStream(LIMIT)
    expected = whole.feed(data[8:])
    found = [frame for piece in cut(data) for frame in pieces.feed(piece)]
    assert pieces.exceeded == whole.exceeded, "the bound depends on the cuts"
    if not whole.exceeded:
        expected += whole.flush()
        found += pieces.flush()
    assert found == expected, "events depend on the cuts"
    assert all(len(payload) <= LIMIT for _, payload, _ in found), "an event is larger than the bound"
    assert all(0 <= offset < len(data) for offset, _, _ in found), "an offset is outside of the body"


def lines(data: bytes) -> None:
    """Lines are the same however they are cut, none has a line end in it, and none is lost."""
    splitter = LineSplitter(LIMIT)
    found = [line for piece in cut(data) for line in splitter.feed(piece)]
    assert splitter.pending <= LIMIT + 32, "more is held than the bound and a piece"
    if splitter.exceeded:
        return
    found += splitter.flush()
    body = data[8:].removeprefix(b"\xef\xbb\xbf")
    assert [line for _, line in found] == body.splitlines(), "lines are not those of the body"


def decoders(data: bytes) -> None:
    """No decoder raises, and what each sees does not depend on the cuts, in any dialect."""
    for answer_format in DIALECTS:
        for clean in (True, False):
            assert _decoded(answer_format, [data[8:]], clean=clean) == _decoded(answer_format, cut(data), clean=clean)
    _decode_whole(data[8:])


def _decoded(answer_format: Any, pieces: Any, *, clean: bool) -> tuple[object, ...]:
    decoder = answer_format.decoder()
    events = [event for piece in pieces for event in decoder.feed(piece)]
    events += decoder.flush(clean=clean)
    finishes = [place for place, event in enumerate(events) if isinstance(event, Finish)]
    assert finishes in ([], [len(events) - 1]), "a Finish is not the last event"
    assert (decoder.error is None) == bool(finishes), "a stream ends with a Finish or with an error"
    assert not (decoder.error and decoder.complete), "a stream is complete and wrong"
    return events, decoder.complete, type(decoder.error), str(decoder.error)


def _decode_whole(body: bytes) -> None:
    from streamkit.errors import StreamkitError

    try:
        events = decode_whole(body)
    except StreamkitError:
        return
    assert isinstance(events[-1], Finish), "a whole answer has no end"


STOPS = ("ab", "b\n", "\nUser:", "aaa")
CHAINS: tuple[Any, ...] = (
    StopSequences(STOPS),
    ScrubEos(),
    SkipSpecialTokens(),
    SplitReasoning(),
    TrimStart(),
    RepairText(),
    RepairText(byte_pieces=True),
    Smooth(),
)


def transforms(data: bytes) -> None:
    """Text and its end come out the same however the text was cut into tokens, by the transform that a byte picks."""
    from streamkit.testing.feeding import run_chain, visible

    text = data[9:].decode("utf-8", "replace")
    transform = CHAINS[data[8] % len(CHAINS)] if data[8:] else CHAINS[0]
    pieces, place, turn = [], 0, 0
    while place < len(text):
        size = data[turn % 8] % 8 + 1
        pieces.append(Token(text[place : place + size]))
        place += size
        turn += 1
    *found, end = run_chain([transform], pieces)
    *expected, expected_end = run_chain([transform], [Token(text)])
    for channel in ("text", "reasoning"):
        assert visible(found, channel) == visible(expected, channel), f"text depends on the cuts: {transform!r}"
    assert end == expected_end, f"the end depends on the cuts: {transform!r}"


def dechunking(data: bytes) -> None:
    """The chunked coding is undone in the same way however it is cut, or refused."""
    assert _dechunked([data[8:]]) == _dechunked(list(cut(data))), "data depends on the cuts"


def _dechunked(pieces: list[bytes]) -> tuple[bytes, object]:
    from urllib3.exceptions import ProtocolError

    from streamkit.sources._chunked import Dechunker

    dechunker, data = Dechunker(), b""
    try:
        for piece in pieces:
            data += dechunker.feed(piece)
            if dechunker.complete:
                break
    except ProtocolError:
        return b"", "refused"  # what came before the wrong place may have gone out already
    return data, dechunker.complete


TARGETS: dict[str, Callable[[bytes], None]] = {
    target.__name__: target for target in (framing, lines, decoders, transforms, dechunking)
}
"""The targets by name."""
