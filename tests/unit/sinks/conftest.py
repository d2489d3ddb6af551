"""Play events into a sink as a driver does."""

import pytest

from streamkit.events import Finish, Token
from streamkit.request import Request
from streamkit.run import Run


@pytest.fixture
def request_():
    """Return a question."""
    return Request(prompt="Say hello")


@pytest.fixture
def play(request_):
    """Return a function that writes events (strings are tokens) to a sink and closes it with the run's result."""

    def play(sink, *events, error=None):
        run = Run(request_, ())
        writer = sink.open(request_)
        for event in events:
            for out in run.feed(Token(event) if isinstance(event, str) else event):
                writer.write(out)
        if error is None:
            for out in run.end():
                writer.write(out)
        result = run.fail(error) if error else run.complete()
        writer.close(result)
        return result

    return play


@pytest.fixture
def finish():
    """Return the end of an answer."""
    return Finish(reason="eos_token", raw_reason="eos_token")
