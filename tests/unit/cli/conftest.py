"""Build results of runs, and call the command line in this process."""

import pytest
from click.testing import CliRunner

from streamkit.events import Finish, Token
from streamkit.request import Request
from streamkit.run import Run


@pytest.fixture
def invoke():
    """Return a function that runs `streamkit` with arguments and returns click's result."""
    from streamkit.cli.app import app

    return lambda *arguments, stdin=None: CliRunner().invoke(app, arguments, input=stdin, prog_name="streamkit")


@pytest.fixture
def ended():
    """Return a function that plays tokens at given times and gives the run, ready to be settled."""

    def ended(*texts, finish=None, times=(10.0, 10.25, 12.25)):
        clock = iter(times)
        run = Run(Request(prompt="Say hello"), (), clock=lambda: next(clock))
        for text in texts:
            run.feed(Token(text))
        if finish is not None:
            run.feed(finish)
        return run

    return ended


@pytest.fixture
def stopped():
    """Return the end of an answer at a stop sequence."""
    return Finish(reason="stop_sequence", stop="\nUser:")
