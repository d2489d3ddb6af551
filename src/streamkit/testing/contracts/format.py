"""The laws of wire formats: of their decoders here, of their encoders in `_encoding`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import attrs

from streamkit.errors import StreamkitError, TruncatedStreamError
from streamkit.events import Event, Finish, Token
from streamkit.protocols import Decoder, Format
from streamkit.testing.contracts._encoding import check_encoding
from streamkit.testing.contracts._laws import LawBroken, about, check_events, check_frozen, examine, guarded, written

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

__tracebackhide__ = True  # pytest shows the author's test, and none of this
APART: Final = "each response has a decoder of its own, which shares no state with others"
COMPLETE: Final = "a complete response is read without error, sets `complete` and ends with its one Finish"
CUT: Final = "a response that is cut before its end mark leaves a TruncatedStreamError in `error`"
ENDS: Final = "a response is either complete, with one Finish as its last event, or has a StreamkitError in `error`"
MUTE: Final = "nothing is decoded after an error, and the first error stays"
RAISES: Final = "feed and flush raise nothing, whatever the bytes: what is wrong is kept in `error`"
SPLIT: Final = "how a transport cuts the bytes makes no difference"


@attrs.frozen(kw_only=True)
class _Body:
    """Bytes to decode.

    Args:
        data: The bytes.
        cuts: Where they are cut, in bytes.
        clean: Whether the connection was ended in good order.
        whole: Whether it is a complete response as it was given.
        cut: Whether it is the beginning of one.
    """

    data: bytes
    cuts: tuple[int, ...]
    clean: bool
    whole: bool
    cut: bool

    @property
    def chunks(self) -> list[bytes]:
        bounds = [0, *sorted({cut for cut in self.cuts if 0 < cut < len(self.data)}), len(self.data)]
        return [self.data[start:stop] for start, stop in pairwise(bounds)]


@attrs.frozen
class _Read:
    """What a decoder made of a response."""

    events: list[Event]
    complete: bool
    error: StreamkitError | None

    @property
    def outcome(self) -> tuple[list[Event], bool, str]:
        """What must not depend on the cut: a format without tokens of its own may make one of each chunk."""
        return _joined(self.events), self.complete, f"{type(self.error).__name__}: {self.error}"

    def __str__(self) -> str:
        end = "complete" if self.complete else "not complete"
        return f"{written(self.events)}, {end}, error {self.error!r}"


def assert_format_contract(format: Format, *bodies: bytes, examples: int = 300) -> None:  # noqa: A002 - the field's word
    """Hold a format to the laws of formats.

    1. The recipe is frozen, `content_type` is a media type, and each decoder is independent of others.
    2. How a transport cuts the bytes makes no difference to the events, to `complete` or to `error`.
    3. Nothing is raised, whatever the bytes; after an error, nothing is decoded.
    4. A complete response ends with its one `Finish` and is `complete`; one that was cut has a `TruncatedStreamError`.
    5. An encoder, if there is one, writes any events without raising; what it wrote reads as complete only if the run
       completed, and then gives the same text.

    Args:
        format: The format.
        bodies: Complete responses, as a server sends them; at least one, better several that differ in kind.
        examples: How many bodies to try, most of them damaged.

    Raises:
        LawBroken: A law is broken; the message has the smallest body that shows it.
        TypeError: There is no body.
    """
    if not bodies:
        raise TypeError("assert_format_contract needs a complete response: what a server of this format sends")
    with about(format):
        check_frozen(format)
        if not isinstance(format.content_type, str) or "/" not in format.content_type:
            raise LawBroken("content_type is a media type, such as text/event-stream", f"it is {format.content_type!r}")
        for body in bodies:
            _check_complete(format, body)
        examine(partial(_check, format), _damaged(bodies), examples)
        check_encoding(format, examples // 4 or 1)


def _check_complete(format_: Format, body: bytes) -> None:
    read = _read(format_, [body])
    if not read.complete or read.error is not None or not read.events or not isinstance(read.events[-1], Finish):
        raise LawBroken(COMPLETE, f"{body!r} gives {read}")


def _check(format_: Format, body: _Body) -> None:
    read = _read(format_, [body.data], clean=body.clean)
    finishes = [event for event in read.events if isinstance(event, Finish)]
    ended = read.complete and read.error is None and len(finishes) == 1 and isinstance(read.events[-1], Finish)
    failed = not read.complete and isinstance(read.error, StreamkitError) and not finishes
    if not (ended or failed):
        raise LawBroken(ENDS, f"{body.data!r} gives {read}")
    if body.whole and body.clean and not ended:
        raise LawBroken(COMPLETE, f"{body.data!r} gives {read}")
    if body.cut and failed and not isinstance(read.error, TruncatedStreamError):
        raise LawBroken(CUT, f"{body.data!r} gives {read}")
    for chunks in (body.chunks, [body.data[place : place + 1] for place in range(len(body.data))]):
        other = _read(format_, chunks, clean=body.clean)
        if other.outcome != read.outcome:
            raise LawBroken(SPLIT, f"{[body.data]!r} gives {read}", f"{chunks!r} gives {other}")
    _check_mute(format_, body)
    _check_apart(format_, body, read)


def _read(format_: Format, chunks: Sequence[bytes], *, clean: bool = True) -> _Read:
    decoder = format_.decoder()
    events = [event for chunk in chunks for event in _fed(decoder, chunk)]
    events += check_events(guarded(RAISES, lambda: decoder.flush(clean=clean), f"flush() after {chunks!r}"), "flush()")
    return _Read(events, decoder.complete, decoder.error)


def _fed(decoder: Decoder, chunk: bytes) -> Sequence[Event]:
    what = f"feed({chunk!r})"
    return check_events(guarded(RAISES, lambda: decoder.feed(chunk), what), what)


def _check_mute(format_: Format, body: _Body) -> None:
    decoder = format_.decoder()
    for chunk in body.chunks:
        first = decoder.error
        events = _fed(decoder, chunk)
        if first is not None and (events or decoder.error is not first):
            raise LawBroken(
                MUTE,
                f"after the error {first!r}",
                f"feed({chunk!r}) gave {written(events)}, and the error is {decoder.error!r}",
            )


def _check_apart(format_: Format, body: _Body, alone: _Read) -> None:
    """Read a response while another decoder is in the middle of the same bytes."""
    decoder, other = format_.decoder(), format_.decoder()
    events: list[Event] = []
    for chunk in body.chunks:
        events += _fed(decoder, chunk)
        _fed(other, chunk)
    events += decoder.flush(clean=body.clean)
    together = _Read(events, decoder.complete, decoder.error)
    if together.outcome != alone.outcome:
        raise LawBroken(APART, f"alone, {body.data!r} gives {alone}", f"beside another one, it gives {together}")


def _joined(events: Sequence[Event]) -> list[Event]:
    """Join neighbouring tokens that are nothing but text."""
    joined: list[Event] = []
    for event in events:
        last = joined[-1] if joined else None
        if type(event) is Token and type(last) is Token and event.channel == last.channel and _bare(event, last):
            joined[-1] = Token(last.text + event.text, channel=event.channel)
        else:
            joined.append(event)
    return joined


def _bare(*tokens: Token) -> bool:
    return all(token == Token(token.text, channel=token.channel) for token in tokens)


def _damaged(bodies: Sequence[bytes]) -> SearchStrategy[_Body]:
    """Return bodies that are whole, cut, changed in the middle, or no bodies at all."""
    from hypothesis import strategies as st

    @st.composite
    def damaged(draw: st.DrawFn) -> _Body:
        body = draw(st.sampled_from(bodies))
        start = draw(st.integers(0, len(body)))
        kind = draw(st.sampled_from(("cut", "whole", "changed", "noise")))
        data = {
            "cut": lambda: body[:start],
            "whole": lambda: body,
            "changed": lambda: body[:start] + draw(st.binary(max_size=8)) + body[draw(st.integers(start, len(body))) :],
            "noise": lambda: draw(st.binary(max_size=24)),
        }[kind]()
        return _Body(
            data=data,
            cuts=tuple(draw(st.lists(st.integers(0, len(body)), max_size=5))),
            clean=draw(st.booleans()),
            whole=kind == "whole",
            cut=kind == "cut",
        )

    return damaged()
