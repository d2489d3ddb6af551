"""Which driver a command takes."""

from contextlib import contextmanager

import pytest

from streamkit import Collect, ConfigurationError, Finish, Host, Pipeline, Token, from_iterable
from streamkit.cli.driving import must_await
from streamkit.cli.showing import Showing

ANSWER = [Token("Hi"), Token("!"), Finish(reason="eos_token")]


class Plain:
    """A source for the synchronous driver alone."""

    @contextmanager
    def open(self, request):
        """Give an answer."""
        yield iter([ANSWER])

    def __repr__(self):
        return "Plain()"


class Awaiting:
    """A sink for the asynchronous driver alone, which keeps what it gets."""

    def __init__(self):
        self.events = []

    def aopen(self, request):
        """Return itself."""
        return self

    async def awrite(self, event):
        """Keep an event."""
        self.events.append(event)

    async def aclose(self, result):
        """Keep the result."""
        self.events.append(result)

    def __repr__(self):
        return "Awaiting()"


async def awaited(text):
    """Observe, in its own time."""


async def _letters():
    for event in ANSWER:
        yield event


OWL = Host([{"on_text": awaited}])
HARE = Host([{"on_text": lambda text: None}])


@pytest.mark.parametrize(
    ("pipeline", "awaits"),
    [
        (Pipeline(from_iterable(ANSWER)), False),
        (Pipeline(from_iterable(ANSWER), sinks=[Collect()], host=HARE), False),
        (Pipeline(Plain(), host=HARE), False),
        (Pipeline(from_iterable(ANSWER), host=OWL), True),
        (Pipeline(from_iterable(ANSWER), sinks=[Collect(), Awaiting()]), True),
        (Pipeline(from_iterable(_letters())), True),
    ],
)
def test_one_part_that_must_be_awaited_is_enough(pipeline, awaits):
    """A hook, a sink or a source; without one, no event loop is needed."""
    assert must_await(pipeline) is awaits


def test_parts_that_cannot_run_together_are_both_named():
    """With the way to do without the plugin, since a user of the command may not have chosen it."""
    host = Host()
    host.register({"on_text": awaited}, "owl")
    with pytest.raises(ConfigurationError, match=r"Plain\(\) .* hook 'on_text' of plugin 'owl' .*_PLUGINS=owl leaves"):
        must_await(Pipeline(Plain(), host=host))
    with pytest.raises(ConfigurationError, match=r"Plain\(\) .* sink Awaiting\(\) .* do without one of them$"):
        must_await(Pipeline(Plain(), sinks=[Awaiting()]))


def test_an_answer_is_shown_by_either_driver(capsys):
    """The same words on both channels."""
    sink = Awaiting()
    Showing().answer(from_iterable(ANSWER) | sink, "Hello", {})
    awaited = capsys.readouterr()
    Showing().answer(from_iterable(ANSWER) | (), "Hello", {})
    plain = capsys.readouterr()

    assert awaited.out == plain.out == "Hi!"
    assert all(each.err.endswith(" · 2 tokens · eos_token\n") for each in (awaited, plain))
    assert [*sink.events[:-1]] == ANSWER
    assert sink.events[-1].text == "Hi!"
