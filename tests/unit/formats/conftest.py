"""One way to decode a body, and one way to write one, in the tests of all formats."""

import json
import re

import pytest

from streamkit.request import Request
from streamkit.run import Run


def decode(fmt, chunks, *, clean=True):
    """Feed chunks to a new decoder, flush it, and return all events and the decoder."""
    decoder = fmt.decoder()
    events = [event for chunk in chunks for event in decoder.feed(chunk)]
    events += decoder.flush(clean=clean)
    return events, decoder


def seen(events, decoder):
    """Everything a reader can see of a decoded body, as comparable values."""
    return events, decoder.complete, type(decoder.error), str(decoder.error)


@pytest.fixture(scope="session")
def read():
    """Decode a body whole and byte by byte, require the same of both, and return events and decoder."""

    def read_both_ways(fmt, body, *, clean=True):
        events, decoder = decode(fmt, [body], clean=clean)
        single = decode(fmt, [body[i : i + 1] for i in range(len(body))], clean=clean)
        assert seen(*single) == seen(events, decoder)
        return events, decoder

    return read_both_ways


def write(encoder, events, *, error=None, outcome="completed"):
    """Write what one run lets out, and its end; return the pieces of the body in order."""
    run = Run(Request(prompt=""), ())
    leaving = [left for event in events for left in run.feed(event)]
    if outcome == "completed":
        leaving += run.end()
    result = run.fail(error) if error else run.abort() if outcome == "aborted" else run.complete()
    return [encoder.begin(), *map(encoder.feed, leaving), encoder.close(result)]


@pytest.fixture(scope="session")
def written():
    """Write a run, and return the whole body."""
    return lambda *arguments, **options: b"".join(write(*arguments, **options))


@pytest.fixture(scope="session")
def payloads():
    """Return what is in the `data` lines of a body: objects, and `[DONE]`."""

    def parse(body):
        assert re.fullmatch(rb"(data: [^\r\n]+\n\n)*", body)
        lines = [line[6:] for line in body.decode().split("\n\n")[:-1]]
        return [line if line == "[DONE]" else json.loads(line) for line in lines]

    return parse
