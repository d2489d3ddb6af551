"""The contract of formats: our own keep it, and each law finds who breaks it."""

import json
import re
from pathlib import Path
from types import MappingProxyType

import attrs
import pytest

from streamkit import Finish, FormatError, Token, TruncatedStreamError
from streamkit.formats import FORMATS
from streamkit.request import Request
from streamkit.run import Run
from streamkit.testing import LawBroken, assert_format_contract

TRANSCRIPTS = Path(__file__).parents[3] / "conformance" / "transcripts"
APIS = {
    "tgi": {"tgi-generate"},
    "chat": {"openai-chat"},
    "completions": {"openai-completions"},
    "llamacpp": {"llamacpp-completion"},
    "ollama": {"ollama-chat", "ollama-generate"},
}


def bodies(name):
    """Return complete responses: recorded ones, or one that the format itself writes."""
    manifest = json.loads((TRANSCRIPTS / "manifest.json").read_text("utf-8"))["transcripts"]
    files = [case["file"] for case in manifest if case["api"] in APIS.get(name, ()) and case["expected"]["complete"]]
    return [(TRANSCRIPTS / file).read_bytes() for file in files] or [written(FORMATS[name])]


def written(format_):
    """Return an answer as a format writes it."""
    encoder, run = format_.encoder(), Run(Request(prompt="Hello"), ())
    body = encoder.begin()
    for event in (Token("Hé"), Token("llo"), Finish(reason="eos_token")):
        run.feed(event)
        body += encoder.feed(event)
    return body + encoder.close(run.complete())


@pytest.mark.parametrize("name", FORMATS)
def test_our_own_formats_keep_it(name):
    """Each is read from real transcripts, whole, cut and damaged; those that are written are read back."""
    assert_format_contract(FORMATS[name], *bodies(name), examples=150)


class Reader:
    """Reads lines; `.` ends the answer."""

    def __init__(self):
        self.rest = b""
        self.complete = False
        self.error = None

    def feed(self, chunk):
        """Take a chunk."""
        if self.error or self.complete:
            return []
        *lines, self.rest = (self.rest + chunk).split(b"\n")
        events = []
        for line in lines:
            if self.error or self.complete:
                break
            events += self.line(line)
        return events

    def line(self, line):
        """Read a line."""
        if line == b".":
            self.complete = True
            return [Finish()]
        if not line.isalpha():
            self.error = FormatError(f"not a word: {line!r}")
            return []
        return [Token(line.decode("latin-1"), id=1)]

    def flush(self, *, clean=True):
        """End."""
        if not (self.complete or self.error):
            self.error = TruncatedStreamError("no dot")
        return []


@attrs.frozen
class Words:
    """The format of a reader."""

    reader: type = Reader
    content_type: str = "text/plain"

    def decoder(self):
        """Return a reader."""
        return self.reader()


WHOLE = b"one\ntwo\n.\n"


def reader(**methods):
    """Return a reader with some methods of its own."""
    return type("Changed", (Reader,), methods)


def broken(format_, *bodies):
    """Return the message about a format that breaks a law."""
    with pytest.raises(LawBroken) as caught:
        assert_format_contract(format_, *(bodies or [WHOLE]))
    return str(caught.value)


def test_a_format_of_lines_keeps_it():
    """Those below are broken by one change each."""
    assert_format_contract(Words(), WHOLE)


def test_it_needs_a_body():
    """Noise alone would never be complete."""
    with pytest.raises(TypeError, match="needs a complete response"):
        assert_format_contract(Words())


def hasty(self, chunk):
    """Read each chunk as if lines were never cut."""
    events = []
    for line in chunk.splitlines():
        if not (self.error or self.complete):
            events += self.line(line)
    return events


def raising(self, line):
    """Raise what should be kept."""
    if not line.isalpha() and line != b".":
        raise ValueError("not a word")
    return Reader.line(self, line)


def deaf(self, line):
    """Go on after an error."""
    events = Reader.line(self, line)
    self.error, self.complete = (None, False) if self.error else (self.error, self.complete)
    return events


def trusting(self, *, clean=True):
    """Take every end for a good one."""
    self.complete = True
    return []


def silent(self, *, clean=True):
    """Say nothing of a missing end."""
    return []


def misjudging(self, *, clean=True):
    """Blame the format for a cut."""
    if not (self.complete or self.error):
        self.error = FormatError("no dot")
    return []


SHARED = []


def sharing(self, line):
    """Keep the lines of all responses in one place."""
    if line == b".":
        events = [Token(word.decode("latin-1")) for word in SHARED]
        SHARED.clear()
        return [*events, *Reader.line(self, line)]
    SHARED.append(line)
    return []


@pytest.mark.parametrize(
    ("methods", "law"),
    [
        ({"feed": hasty}, "how a transport cuts the bytes makes no difference"),
        ({"line": raising}, "feed and flush raise nothing"),
        ({"flush": trusting}, "either complete, with one Finish as its last event, or has a StreamkitError"),
        ({"flush": silent}, "either complete, with one Finish as its last event, or has a StreamkitError"),
        ({"flush": misjudging}, "that is cut before its end mark leaves a TruncatedStreamError"),
        ({"flush": lambda self, *, clean=True: None}, "in a tuple or list"),
        ({"feed": lambda self, chunk: (byte for byte in chunk)}, "in a tuple or list"),
        ({"line": lambda self, line: [*Reader.line(self, line), Finish()]}, "its one Finish|one Finish as its last"),
    ],
)
def test_each_law_is_held(methods, law):
    """The message has the law and the smallest body."""
    message = broken(Words(reader(**methods)))
    assert re.search(law, message)


def test_the_smallest_body_is_shown():
    """A mark that is read across a cut line is enough."""
    message = broken(Words(reader(flush=misjudging)))
    assert "  b'' gives [], not complete, error FormatError('no dot')" in message


def test_state_that_two_responses_share():
    """Another response in the middle of the same bytes is not noticed."""
    SHARED.clear()
    assert "breaks a law" in broken(Words(reader(line=sharing)))


def test_a_body_that_is_not_complete_is_told():
    """It may be the body, or the format."""
    assert "a complete response is read without error" in broken(Words(), b"one\ntwo\n")


def test_a_content_type_that_is_none():
    """A server could not send it."""
    assert "content_type is a media type" in broken(Words(content_type="words"))


class Writer:
    """Writes what the reader reads."""

    headers = MappingProxyType({"content-type": "text/plain"})
    keep_alive = b""

    def begin(self):
        """Begin."""
        return b""

    def feed(self, event):
        """Write a token as a line of letters."""
        text = getattr(event, "text", "") if getattr(event, "channel", "") == "text" else ""
        return text.encode("utf-32-be", "surrogatepass").hex().translate(LETTERS).encode() + b"\n" if text else b""

    def close(self, result):
        """End as the run did."""
        return b".\n" if result.outcome == "completed" else b""


LETTERS = str.maketrans("0123456789abcdef", "abcdefghijklmnop")
DIGITS = str.maketrans("abcdefghijklmnop", "0123456789abcdef")


def letters(self, line):
    """Read what the writer wrote."""
    events = Reader.line(self, line)
    if self.error or self.complete:
        return events
    try:
        return [Token(bytes.fromhex(line.decode("latin-1").translate(DIGITS)).decode("utf-32-be", "surrogatepass"))]
    except ValueError:
        self.error = FormatError("not letters of ours")
        return []


def writing(**methods):
    """Return a format that is written by a writer with some methods of its own."""

    @attrs.frozen
    class Written(Words):
        def encoder(self):
            return type("ChangedWriter", (Writer,), methods)()

    return Written(reader(line=letters))


def fails(self, event):
    """Raise at what has no text."""
    return event.text.encode()


def test_a_format_that_is_written_keeps_it():
    """Those below are broken by one change each."""
    assert_format_contract(writing(), b".\n")


@pytest.mark.parametrize(
    ("methods", "law"),
    [
        ({"feed": fails}, "an encoder takes any event"),
        ({"feed": lambda self, event: ""}, "feed\\(\\) and keep_alive are bytes"),
        ({"feed": lambda self, event: b""}, "the text of a completed answer is read as it was written"),
        ({"close": lambda self, result: b".\n"}, "only a completed run is written so that it reads as complete"),
        ({"close": lambda self, result: b""}, "only a completed run is written so that it reads as complete"),
        ({"close": lambda self, result: None}, "close\\(\\) of a completed run returned None"),
        ({"headers": {"Content-Type": "text/plain"}}, "headers have lower-case names"),
        ({"headers": {"content-type": "text/html"}}, "the content type of the format among them"),
    ],
)
def test_each_law_of_writing_is_held(methods, law):
    """The message has the law, what was written and how it was read."""
    assert re.search(law, broken(writing(**methods), b".\n"))
