"""The contract of sinks: our own keep it, and each law finds who breaks it."""

import json

import attrs
import pytest

from streamkit import Callback, Collect, Console, Host, JsonLines, TextFile, Token
from streamkit.testing import LawBroken, assert_sink_contract


def test_collect_keeps_it():
    """What it collected is what was written, also by runs at the same time."""
    sink = Collect()
    assert_sink_contract(sink, texts=lambda: sink.texts)


def test_files_keep_it(tmp_path):
    """A sink of files must add to them."""
    lines = tmp_path / "answers.jsonl"
    assert_sink_contract(
        JsonLines(lines), texts=lambda: [json.loads(line)["text"] for line in lines.read_text("utf-8").splitlines()]
    )
    assert_sink_contract(TextFile(tmp_path / "answers.txt", mode="append"))


@pytest.mark.parametrize("isolated", [True, False])
def test_callbacks_keep_it(isolated):
    """Of either colour."""

    async def awaited(text): ...

    assert_sink_contract(Callback(lambda text: None, isolated=isolated))
    assert_sink_contract(Callback(awaited, on="event", isolated=isolated))


def test_the_console_keeps_it(capsys):
    """Half a character does not bring a terminal down."""
    assert_sink_contract(Console())


def test_each_registered_sink_is_held_to_it():
    """A new one must be added above."""
    registered = {part.factory for part in Host().registry("sinks").values()}
    assert registered == {Collect, Console, JsonLines, TextFile}


class Writer:
    """Writes texts into a list when it is closed."""

    def __init__(self, runs):
        self.runs = runs
        self.text = ""

    def write(self, event):
        """Take an event."""
        if isinstance(event, Token) and event.channel == "text":
            self.text += event.text

    def close(self, result):
        """Hand over."""
        self.runs.append(self.text)


@attrs.frozen(eq=False)
class Kept:
    """A sink whose writers have some methods of their own."""

    writer: type = Writer
    isolated: object = False
    runs: list = attrs.field(factory=list, repr=False)

    def open(self, request):
        """Return a writer."""
        return self.writer(self.runs)


def writer(**methods):
    """Return a writer class with some methods of its own."""
    return type("Changed", (Writer,), methods)


def broken(sink, **options):
    """Return the message about a sink that breaks a law."""
    with pytest.raises(LawBroken) as caught:
        assert_sink_contract(sink, **options)
    return str(caught.value)


def test_a_sink_of_texts_keeps_it():
    """Those below are broken by one change each."""
    sink = Kept()
    assert_sink_contract(sink, texts=lambda: sink.runs)


def only_tokens(self, event):
    """Take every event for a token."""
    self.text += event.text


def encoding(self, event):
    """Encode as if every text could be."""
    getattr(event, "text", "").encode()


def unhappy(self, result):
    """Raise at a run that failed."""
    if result.error:
        raise result.error


@pytest.mark.parametrize(
    ("methods", "law", "fact"),
    [
        ({"write": only_tokens}, "a writer takes any event", "it raised AttributeError: "),
        ({"write": encoding}, "a writer takes any event", r"given Token('\ud83d'), it raised UnicodeEncodeError"),
        ({"close": unhappy}, "close() is called once, however the run ends", "run: [], failed"),
        ({"close": None}, "close() is called once, however the run ends", "raised TypeError"),
    ],
)
def test_each_law_of_one_writer_is_held(methods, law, fact):
    """The message has the law and the smallest run."""
    message = broken(Kept(writer(**methods)))
    assert law in message
    assert fact in message


def test_runs_that_mix_are_found():
    """A writer that is shared gets the text of both."""
    runs = []
    shared = Writer(runs)

    def close(result):
        runs.append(shared.text)
        shared.text = ""

    shared.close = close

    @attrs.frozen
    class Shares:
        def open(self, request):
            return shared

    message = broken(Shares(), texts=lambda: runs)
    assert "runs at the same time do not mix" in message
    assert "the texts that arrived" in message


def test_a_sink_must_open_writers():
    """In one colour at least, with both methods."""
    assert "neither a method open() nor aopen()" in broken(attrs.make_class("Bare", [], frozen=True)())

    @attrs.frozen
    class Halves:
        def open(self, request):
            return [].append

    assert "open() returns a writer with write() and close()" in broken(Halves())


def test_a_sink_that_can_be_changed_is_found():
    """Many runs share it."""

    class Loose:
        def open(self, request):
            return Writer([])

    assert "a recipe is frozen" in broken(Loose())


def test_isolated_must_be_a_boolean():
    """A method would always be true."""
    assert "it is 'no'" in broken(Kept(isolated="no"))
