"""The terminal sink: live, harmless, and tidy at the end."""

import io
import os
import sys

import pytest

from streamkit.errors import ConfigurationError
from streamkit.events import Token, ToolCallDelta
from streamkit.sinks import Console


class _Terminal(io.StringIO):
    def isatty(self):
        return True


class _Watched(io.StringIO):
    """Counts what has been flushed."""

    def __init__(self):
        super().__init__()
        self.flushed = []

    def flush(self):
        self.flushed.append(self.getvalue())


def test_each_piece_is_flushed_as_it_comes(play):
    """A reader sees each piece at once, not when a buffer is full."""
    file = _Watched()

    play(Console(file=file), "Hel", "lo")

    assert file.flushed == ["Hel", "Hello"]


def test_stdout_is_looked_up_when_the_run_starts(play, monkeypatch):
    """A sink made at import time writes to the stdout of the run."""
    sink = Console()
    file = io.StringIO()
    monkeypatch.setattr(sys, "stdout", file)

    play(sink, "Hello")

    assert file.getvalue() == "Hello"


def test_only_the_answers_text_is_shown(play, finish):
    """Reasoning, tool calls, hidden tokens and the finish print nothing."""
    file = io.StringIO()

    play(
        Console(file=file),
        Token("hm", channel="reasoning"),
        Token("", special=True, raw="<s>"),
        "Hello",
        ToolCallDelta(name="f"),
        finish,
    )

    assert file.getvalue() == "Hello"


def test_another_channel_starts_on_a_line_of_its_own(play):
    """Reasoning and answer do not run into each other."""
    file = io.StringIO()
    sink = Console(file=file, channels=("reasoning", "text"))

    play(sink, Token("hm", channel="reasoning"), Token("...", channel="reasoning"), "Hello", " you")

    assert file.getvalue() == "hm...\nHello you"


def test_one_channel_may_be_given_as_a_string():
    """A single name is not taken for a list of letters."""
    assert Console(channels="reasoning") == Console(channels=("reasoning",))


def test_hostile_output_is_shown_and_not_obeyed(play):
    """An escape sequence split over tokens reaches the terminal as symbols."""
    file = _Terminal()

    play(Console(file=file), "\x1b", "]0;owned", "\x07")

    assert file.getvalue() == "␛]0;owned␇\n"


def test_an_unfinished_line_is_ended_on_a_terminal(play):
    """The shell's prompt does not stick to the answer."""
    file = _Terminal()

    play(Console(file=file), "Hello")

    assert file.getvalue() == "Hello\n"


@pytest.mark.parametrize("texts", [("Hello\n",), ("Hello", "\n"), ()])
def test_a_finished_line_is_not_ended_again(play, texts):
    """No empty line follows an answer that ends its line, or one without text."""
    file = _Terminal()

    play(Console(file=file), *texts)

    assert file.getvalue() == "".join(texts)


def test_a_pipe_gets_the_text_alone(play):
    """What is not a terminal gets no extra line end."""
    file = io.StringIO()

    play(Console(file=file), "Hello")

    assert file.getvalue() == "Hello"


def test_raw_text_passes_as_it_is(play):
    """With `raw`, a file gets exactly what the model wrote."""
    file = io.StringIO()

    play(Console(file=file, raw=True), "\x1b[1mbold\r\n")

    assert file.getvalue() == "\x1b[1mbold\r\n"


def test_raw_text_is_refused_on_a_terminal(request_):
    """A model never gets control of a terminal."""
    with pytest.raises(ConfigurationError, match="control this terminal"):
        Console(file=_Terminal(), raw=True).open(request_)


def test_a_closed_pipe_raises_once(request_, play):
    """Writing into a pipe that nobody reads raises, and closing the sink afterwards does not raise again."""
    reader, writer = os.pipe()
    os.close(reader)
    file = os.fdopen(writer, "w", encoding="utf-8")
    sink = Console(file=file).open(request_)
    result = play(Console(file=io.StringIO()), "Hello")

    with pytest.raises(BrokenPipeError):
        sink.write(Token("Hello"))
    sink.close(result)

    with pytest.raises(BrokenPipeError):  # the text that could not leave is still in the file's own buffer
        file.close()


def test_a_recipe_serves_runs_at_the_same_time(request_, play):
    """The state of a line belongs to a run, not to the recipe."""
    file = _Terminal()
    sink = Console(file=file)
    first, second = sink.open(request_), sink.open(request_)

    first.write(Token("one"))
    second.write(Token("two\n"))
    result = play(Console(file=io.StringIO()))
    first.close(result)
    second.close(result)

    assert file.getvalue() == "onetwo\n\n"


def test_a_line_is_ended_although_ctrl_c_came_while_it_was_written(request_, play):
    """An interrupt between the text and the end of its write does not leave the line unfinished."""

    class Interrupted(_Terminal):
        def flush(self):
            if not self.getvalue().endswith("\n"):
                raise KeyboardInterrupt

    file = Interrupted()
    writer = Console(file=file).open(request_)

    with pytest.raises(KeyboardInterrupt):
        writer.write(Token("Hello"))
    writer.close(play(Console(file=io.StringIO())))

    assert file.getvalue() == "Hello\n"
