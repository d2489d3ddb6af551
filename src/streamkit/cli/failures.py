"""How a command ends when something goes wrong: one sentence on stderr and an exit status, never a traceback."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import rich_click as click

from streamkit.errors import ConfigurationError, SinkError, StreamkitError

FAILED: Final = 1
MISUSED: Final = 2
INTERRUPTED: Final = 128 + signal.SIGINT
PIPE_CLOSED: Final = 128 + 13
"""What a shell reports for a program ended by SIGPIPE; Windows has no such signal, so its number is written out."""

DEBUG: Final = "STREAMKIT_DEBUG"
"""Environment variable; any value but the empty one brings the traceback back."""


@contextmanager
def reported() -> Iterator[None]:
    """Run the body of a command.

    1. Ctrl-C exits with 130; a second one kills at once.
    2. A reader that has closed the pipe (`| head -1`) ends the command quietly, with 141.
    3. A setting that cannot work exits with 2, any other error with 1, after one sentence on stderr.

    Raises:
        SystemExit: The body did not succeed.
    """
    try:
        with _killed_by_second_interrupt():
            yield
    except click.ClickException:
        raise
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except Exception as error:
        if pipe_closed(error):
            sys.exit(PIPE_CLOSED)
        if os.environ.get(DEBUG):
            raise
        explain(error)
        sys.exit(MISUSED if isinstance(error, ConfigurationError) else FAILED)
    finally:
        _flush_or_abandon_stdout()


def explain(error: Exception) -> None:
    """Write what happened to stderr, on one line that a terminal only prints."""
    from streamkit.sinks.terminal import neutralise

    message = " ".join(_file_trouble(error).split())
    if not isinstance(error, StreamkitError):
        message = f"{type(error).__name__}: {message} (set {DEBUG}=1 to see where)"
    click.secho(f"streamkit: {neutralise(message)}", err=True, fg="red")


def _file_trouble(error: Exception) -> str:
    """Return the message of an error; of a sink whose file cannot be opened, what a user of the command knows of it."""
    cause = error.__cause__
    if not (isinstance(error, SinkError) and isinstance(cause, OSError) and cause.filename is not None):
        return str(error)
    if isinstance(cause, FileExistsError):
        return f"{cause.filename} exists already, and nothing in it was touched"
    return f"{cause.filename} cannot be written: {cause.strerror}"


def pipe_closed(error: BaseException | None) -> bool:
    """Tell whether an error means that nobody reads stdout any more; a server's broken connection does not."""
    return isinstance(error.__cause__ if isinstance(error, SinkError) else error, BrokenPipeError)


@contextmanager
def _killed_by_second_interrupt() -> Iterator[None]:
    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:  # ignored: the command runs in background
        yield
        return

    def interrupt(_signal: int, _frame: object) -> None:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _flush_or_abandon_stdout() -> None:
    """Spare the interpreter, which flushes stdout as it exits, text that cannot be written any more."""
    try:
        sys.stdout.flush()
    except OSError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
