"""The laws of wire formats, as far as they are written."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Final

from streamkit.errors import ConfigurationError
from streamkit.events import Event
from streamkit.protocols import Encoder, Format
from streamkit.request import Request
from streamkit.result import RunResult
from streamkit.run import Run
from streamkit.testing.contracts._endings import ENDINGS, Ending, halved, settled
from streamkit.testing.contracts._laws import LawBroken, examine, guarded, written
from streamkit.testing.contracts._streams import streams
from streamkit.testing.feeding import visible

__tracebackhide__ = True  # pytest shows the author's test, and none of this
BYTES: Final = (
    "begin(), feed() and keep_alive are bytes; close() is bytes or, where the protocol has no word for it, None"
)
ENDS: Final = "only a completed run is written so that it reads as complete"
HEADERS: Final = "the headers have lower-case names, the content type of the format among them"
RAISES: Final = "an encoder takes any event and any end of a run without raising"
ROUND: Final = "the text of a completed answer is read as it was written"


def check_encoding(format_: Format, examples: int) -> None:
    """Hold the encoders of a format to their laws; a format that is only read has none.

    Args:
        format_: The format.
        examples: How many answers to try.
    """
    make = getattr(format_, "encoder", None)
    if make is None:
        return
    try:
        encoder = make()
    except ConfigurationError:
        return
    if any(name != name.lower() for name in encoder.headers) or encoder.headers.get("content-type") != (
        format_.content_type
    ):
        raise LawBroken(HEADERS, f"content_type is {format_.content_type!r}, the headers are {dict(encoder.headers)!r}")
    examine(partial(_check, format_), streams((), surrogates=True), examples)


def _check(format_: Format, events: list[Event]) -> None:
    for ending in ENDINGS:
        body, result = _encoded(format_, events, ending)
        if body is None:
            continue
        decoder = format_.decoder()
        read = [*decoder.feed(body), *decoder.flush()]
        facts = (f"{written(events)}, {ending}", f"is written {body!r}", f"is read {written(read)}")
        if decoder.complete != (ending == "completed"):
            raise LawBroken(ENDS, *facts, f"complete is {decoder.complete}, error is {decoder.error!r}")
        if ending == "completed" and visible(read) != result.text and not halved(result.text):
            raise LawBroken(ROUND, *facts)


def _encoded(format_: Format, events: Sequence[Event], ending: Ending) -> tuple[bytes | None, RunResult]:
    encoder: Encoder = format_.encoder()
    run = Run(Request(prompt="Hello"), ())
    body = _bytes(guarded(RAISES, encoder.begin, "begin()"), "begin()")
    leaving = [left for event in events for left in run.feed(event)]
    if ending == "completed":
        leaving += run.end()
    for event in leaving:
        what = f"feed({written([event])[1:-1]})"
        body += _bytes(guarded(RAISES, partial(encoder.feed, event), what), what)
    result = settled(run, ending)
    last = guarded(RAISES, partial(encoder.close, result), f"close() of a run that was {ending}, after {body!r}")
    if last is None and ending == "completed":
        raise LawBroken(BYTES, "close() of a completed run returned None")
    return (None if last is None else body + _bytes(last, "close()")), result


def _bytes(given: Any, what: str) -> bytes:
    if not isinstance(given, bytes):
        raise LawBroken(BYTES, f"{what} returned {given!r}")
    return given
