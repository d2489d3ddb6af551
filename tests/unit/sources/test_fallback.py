"""The next source is asked when one fails before its first token."""

import asyncio
from types import SimpleNamespace

import pytest

from streamkit import Attempt, ConfigurationError, Fallback, Finish, Pipeline, Token
from streamkit.errors import AuthenticationError, ConnectError, FormatError, OverloadedError, TruncatedStreamError

ANSWER = [[Token("Hello")], [Finish(reason="eos_token")]]


class Source:
    """A source that fails on opening, or plays batches and errors."""

    def __init__(self, script):
        self.script = script
        self.opened = 0

    def open(self, request):
        """See `Source.open`."""
        return self

    def aopen(self, request):
        """See `AsyncSource.aopen`."""
        return self

    def __enter__(self):
        self.opened += 1
        if isinstance(self.script, Exception):
            raise self.script
        return self._play()

    def __exit__(self, *_):
        pass

    async def __aenter__(self):
        return self._aplay(self.__enter__())

    async def __aexit__(self, *_):
        pass

    def _play(self):
        for batch in self.script:
            if isinstance(batch, Exception):
                raise batch
            yield batch

    @staticmethod
    async def _aplay(batches):
        for batch in batches:
            yield batch


@pytest.fixture(params=["sync", "async"])
def run(request):
    """Return a function that runs sources in either driver: the events, the retries seen, the result, the error."""

    def run(*sources):
        retries, events, error = [], [], None
        pipeline = Pipeline(
            Fallback(*sources),
            callbacks=[{"on_retry": lambda attempt: retries.append(attempt)}],  # noqa: PLW0108 - called by its name
        )

        async def play(stream):
            async with stream:
                events.extend([event async for event in stream.events()])

        stream = pipeline.stream("Hi") if request.param == "sync" else pipeline.astream("Hi")
        try:
            if request.param == "sync":
                with stream:
                    events.extend(stream.events())
            else:
                asyncio.run(play(stream))
        except Exception as raised:  # noqa: BLE001 - the test asks what it was
            error = raised
        return SimpleNamespace(events=events, retries=retries, result=stream.result, error=error)

    return run


@pytest.mark.parametrize(
    "error",
    [
        ConnectError("the certificate is not accepted"),
        AuthenticationError("no", status=401),
        OverloadedError("busy", status=503, transient=True),
        FormatError("a web page"),
        TruncatedStreamError("empty"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_any_failure_on_the_other_side_hands_over(run, error):
    """Whether it may pass or not: the next source is another one."""
    second = Source(ANSWER)
    played = run(Source(error), second)
    assert played.error is None
    assert played.result.text == "Hello"
    assert played.retries == [event for event in played.events if isinstance(event, Attempt)]
    assert played.retries == [Attempt(number=1, error=str(error), wait=0.0)]


def test_a_source_that_answers_is_the_last_one_asked(run):
    """The others stay untouched."""
    second = Source(ANSWER)
    assert run(Source(ANSWER), second).retries == []
    assert second.opened == 0


def test_after_the_first_token_nothing_hands_over(run):
    """The error comes out, with the text so far."""
    error, second = TruncatedStreamError("cut"), Source(ANSWER)
    played = run(Source([[Token("Hel")], error]), second)
    assert played.error is error
    assert played.result.text == "Hel"
    assert second.opened == 0


def test_after_the_last_source_its_error_comes_out(run):
    """With a note for each one before it."""
    errors = [ConnectError("one"), ConnectError("two"), ConnectError("three")]
    played = run(*map(Source, errors))
    assert played.error is errors[2]
    assert played.error.__notes__ == ["before it: one", "before it: two"]
    assert [attempt.number for attempt in played.retries] == [1, 2]


def test_an_impossible_setting_does_not_hand_over(run):
    """The caller is told, not the next source."""
    second = Source(ANSWER)
    assert type(run(Source(ConfigurationError("no")), second).error) is ConfigurationError
    assert second.opened == 0


def test_there_must_be_a_source():
    """Nothing can be asked otherwise."""
    with pytest.raises(ConfigurationError, match="at least one"):
        Fallback()


def test_it_is_a_value():
    """Equal sources in equal order make equal fallbacks, and `|` makes a pipeline."""
    first, second = Source(ANSWER), Source(ANSWER)
    assert Fallback(first, second) == Fallback(first, second) != Fallback(second, first)
    assert isinstance(Fallback(first) | (), Pipeline)
