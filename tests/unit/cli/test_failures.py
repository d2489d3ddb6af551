"""How a command ends when something goes wrong."""

import os
import signal

import click
import pytest

from streamkit.cli.failures import explain, pipe_closed, reported
from streamkit.errors import ConfigurationError, ConnectError, SinkError


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ConnectError("no connection"), 1),
        (ConfigurationError("no URL"), 2),
        (OSError("odd"), 1),
        (KeyboardInterrupt(), 130),
        (BrokenPipeError(), 141),
    ],
)
def test_each_failure_has_its_exit_status(error, status):
    """Scripts can tell a bad question from a failed answer."""
    with pytest.raises(SystemExit) as caught, reported():
        raise error

    assert caught.value.code == status


def test_a_sink_whose_reader_left_ends_quietly(capsys):
    """The closed pipe is recognised behind the error of the sink."""
    with pytest.raises(SystemExit) as caught, reported():
        raise SinkError("could not be written to") from BrokenPipeError()

    assert caught.value.code == 141
    assert capsys.readouterr() == ("", "")
    assert not pipe_closed(SinkError("disk full"))
    assert not pipe_closed(None)


def test_a_broken_connection_to_the_server_is_not_a_closed_pipe(capsys):
    """An error of the model's side is told, although its cause has the same name."""
    with pytest.raises(SystemExit) as caught, reported():
        raise ConnectError("the server left") from BrokenPipeError()

    assert caught.value.code == 1
    assert capsys.readouterr().err == "streamkit: the server left\n"


def test_the_message_is_one_harmless_line(capsys):
    """A server's words reach the terminal on one line and without control characters."""
    explain(ConnectError("refused\nby \x1b[31mserver\x9b"))

    assert capsys.readouterr().err == "streamkit: refused by ␛[31mserver⟨U+009B⟩\n"


@pytest.mark.parametrize(
    ("cause", "message"),
    [
        (FileNotFoundError(2, "No such file or directory", "a/b"), "a/b cannot be written: No such file or directory"),
        (FileExistsError(17, "File exists", "a.txt"), "a.txt exists already, and nothing in it was touched"),
        (OSError(28, "No space left on device"), "sink TextFile(path='a.txt') could not be opened"),
        (None, "sink TextFile(path='a.txt') could not be opened"),
    ],
)
def test_a_file_that_cannot_be_opened_is_named_as_it_was_typed(capsys, cause, message):
    """Whoever gave --save need not know of sinks."""
    error = SinkError("sink TextFile(path='a.txt') could not be opened")
    error.__cause__ = cause
    explain(error)

    assert capsys.readouterr().err == f"streamkit: {message}\n"


def test_an_unforeseen_error_names_its_type_and_the_way_to_the_traceback(capsys):
    """A bug is told in one line as well, with what to do to see more."""
    explain(KeyError("x"))

    assert capsys.readouterr().err == "streamkit: KeyError: 'x' (set STREAMKIT_DEBUG=1 to see where)\n"


def test_the_traceback_is_there_on_request(monkeypatch):
    """With STREAMKIT_DEBUG the error itself comes through."""
    monkeypatch.setenv("STREAMKIT_DEBUG", "1")

    with pytest.raises(ConnectError), reported():
        raise ConnectError("no connection")


def test_usage_errors_are_left_to_click():
    """Click shows them beside the usage of the command."""
    with pytest.raises(click.UsageError), reported():
        raise click.UsageError("no prompt")


def test_the_first_interrupt_is_an_exception_and_the_second_would_kill():
    """After the first Ctrl-C the signal has its default action, so that cleaning up can be cut short."""
    seen = []

    def body():
        try:
            os.kill(os.getpid(), signal.SIGINT)
        finally:
            seen.append(signal.getsignal(signal.SIGINT))

    with pytest.raises(SystemExit), reported():
        body()

    assert seen == [signal.SIG_DFL]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_ignored_interrupt_stays_ignored():
    """A command in the background is not interrupted by the Ctrl-C of another."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with reported():
            os.kill(os.getpid(), signal.SIGINT)
            assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)
