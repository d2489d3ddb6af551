"""When a source is asked again, how long is waited before, and when not."""

import asyncio
from types import SimpleNamespace

import pytest

from streamkit import Attempt, ConfigurationError, Finish, Pipeline, Retry, Token
from streamkit.errors import (
    AuthenticationError,
    ConnectError,
    FormatError,
    GenerationError,
    OverloadedError,
    RateLimitError,
    RequestError,
    StreamTimeoutError,
    TruncatedStreamError,
)
from streamkit.sources.retry import LOADING_POLL

ANSWER = [[Token("Hello")], [Token("!")], [Finish(reason="eos_token")]]


def busy(**options):
    """Return an error that may pass."""
    return OverloadedError("busy", status=502, transient=True, **options)


def loading(**options):
    """Return the error of a model that is loading."""
    return OverloadedError("loading", status=503, transient=True, **options)


class Scripted:
    """A source that plays one entry of a script for each time it is opened: an error, or batches and errors."""

    def __init__(self, *script):
        self.script = list(script)
        self.opened = 0
        self.closed = 0

    def open(self, request):
        """Play the next entry."""
        return self

    def aopen(self, request):
        """Play the next entry."""
        return self

    def __enter__(self):
        self.opened += 1
        entry = self.script.pop(0) if self.script else busy()
        if isinstance(entry, Exception):
            raise entry
        return self._play(entry)

    def __exit__(self, *_):
        self.closed += 1

    async def __aenter__(self):
        return self._aplay(self.__enter__())

    async def __aexit__(self, *_):
        self.closed += 1

    @staticmethod
    def _play(entry):
        for batch in entry:
            if isinstance(batch, Exception):
                raise batch
            yield batch

    @staticmethod
    async def _aplay(batches):
        for batch in batches:
            yield batch


@pytest.fixture
def clock(monkeypatch):
    """A clock that moves only when somebody waits; `clock.waits` has how long."""
    clock = SimpleNamespace(now=1000.0, waits=[])

    def pause(_hangup, seconds):
        clock.waits.append(seconds)
        clock.now += seconds

    async def apause(hangup, seconds):
        pause(hangup, seconds)

    monkeypatch.setattr("streamkit.sources.retry.time", SimpleNamespace(monotonic=lambda: clock.now))
    monkeypatch.setattr("streamkit.sources._again.pause", pause)
    monkeypatch.setattr("streamkit.sources._again.apause", apause)
    return clock


@pytest.fixture(params=["sync", "async"])
def run(request):
    """Return a function that runs a source in either driver: the events, the result, the error."""

    def sync(source):
        stream = Pipeline(source).stream("Hi")
        events, error = [], None
        try:
            with stream:
                events.extend(stream.events())
        except Exception as raised:  # noqa: BLE001 - the test asks what it was
            error = raised
        return SimpleNamespace(events=events, result=stream.result, error=error)

    def asynchronous(source):
        async def play():
            stream = Pipeline(source).astream("Hi")
            events, error = [], None
            try:
                async with stream:
                    async for event in stream.events():
                        events.append(event)  # noqa: PERF401 - those before an error count
            except Exception as raised:  # noqa: BLE001 - the test asks what it was
                error = raised
            return SimpleNamespace(events=events, result=stream.result, error=error)

        return asyncio.run(play())

    return sync if request.param == "sync" else asynchronous


class TestWhat:
    """What is tried again."""

    def test_failures_that_may_pass(self, run, clock):
        """Each failed try is an event before the first token, and the answer is whole."""
        source = Scripted(busy(), ConnectError("refused", transient=True), ANSWER)
        played = run(Retry(source))
        assert played.error is None
        assert played.result.text == "Hello!"
        assert [type(event) for event in played.events] == [Attempt, Attempt, Token, Token, Finish]
        assert [(event.number, event.error) for event in played.events[:2]] == [(1, "busy"), (2, "refused")]
        assert [event.wait for event in played.events[:2]] == clock.waits

    def test_an_engine_that_says_it_is_overloaded(self, run, clock):
        """Before its first token: TGI reports that inside a stream."""
        source = Scripted([GenerationError("busy", kind="overloaded")], ANSWER)
        assert run(Retry(source)).result.text == "Hello!"
        assert (source.opened, source.closed) == (2, 2)

    @pytest.mark.parametrize(
        "error",
        [
            AuthenticationError("no", status=401),
            RequestError("bad", status=422),
            ConnectError("the certificate is not accepted"),
            OverloadedError("a bug", status=500),
            StreamTimeoutError("silent"),
            TruncatedStreamError("cut"),
            GenerationError("no memory"),
            FormatError("a web page"),
        ],
        ids=lambda error: type(error).__name__,
    )
    def test_nothing_that_stays(self, run, clock, error):
        """It is raised as it is, at once."""
        source = Scripted(error, ANSWER)
        played = run(Retry(source))
        assert played.error is error
        assert source.opened == 1
        assert clock.waits == []

    def test_nothing_after_the_first_token(self, run, clock):
        """No text comes twice: the error comes out with the text so far."""
        error = busy()
        source = Scripted([[Token("Hello")], error], ANSWER)
        played = run(Retry(source))
        assert played.error is error
        assert played.result.text == "Hello"
        assert source.opened == source.closed == 1

    def test_a_foreign_exception_is_a_bug(self, run, clock):
        """A mistake in a source does not go away by trying."""
        source = Scripted(ZeroDivisionError(), ANSWER)
        assert type(run(Retry(source)).error) is ZeroDivisionError
        assert source.opened == 1

    def test_a_source_is_closed_before_the_next_try(self, run, clock):
        """No connection is held while waiting."""
        source = Scripted([busy()], [busy()], ANSWER)
        run(Retry(source))
        assert (source.opened, source.closed) == (3, 3)


class TestBounds:
    """How often, and how long."""

    @pytest.mark.parametrize("attempts", [1, 2, 5])
    def test_attempts_count_the_first_try(self, run, clock, attempts):
        """After the last one its error comes out."""
        source = Scripted()
        played = run(Retry(source, attempts=attempts))
        assert type(played.error) is OverloadedError
        assert source.opened == attempts
        assert len(clock.waits) == attempts - 1

    def test_waits_double_with_jitter_up_to_a_bound(self, run, clock):
        """So that many clients do not come back together."""
        run(Retry(Scripted(), attempts=9, max_wait=6))
        assert [0.5 <= clock.waits[0] <= 0.75, 1.0 <= clock.waits[1] <= 1.25, 2.0 <= clock.waits[2] <= 2.25] == [
            True
        ] * 3
        assert max(clock.waits) <= 6

    def test_waits_differ(self, run, clock):
        """Jitter is random."""
        for _ in range(5):
            run(Retry(Scripted(), attempts=2))
        assert len(set(clock.waits)) > 1

    def test_what_the_server_says_is_obeyed(self, run, clock):
        """Longer or shorter than we would have waited."""
        error = RateLimitError("slow down", status=429, retry_after=7.5, transient=True)
        assert run(Retry(Scripted(error, ANSWER))).result.text == "Hello!"
        assert clock.waits == [7.5]

    def test_a_server_that_asks_for_too_long_is_not_asked_again(self, run, clock):
        """The error comes at once, and says why."""
        error = RateLimitError("slow down", status=429, retry_after=600, transient=True)
        played = run(Retry(Scripted(error, ANSWER)))
        assert played.error is error
        assert played.error.retry_after == 600
        assert "600 s away" in played.error.__notes__[0]
        assert clock.waits == []

    def test_all_tries_together_have_a_bound(self, run, clock):
        """A wait that would go beyond it is not begun."""
        errors = [busy(retry_after=4) for _ in range(10)]
        source = Scripted(*errors)
        played = run(Retry(source, attempts=10, max_elapsed=10))
        assert played.error is errors[2]
        assert clock.waits == [4, 4]

    @pytest.mark.parametrize(
        "options",
        [
            {"attempts": 0},
            {"attempts": 1.5},
            {"max_wait": -1},
            {"max_elapsed": float("inf")},
            {"load_timeout": float("nan")},
            {"load_timeout": "long"},
        ],
    )
    def test_impossible_numbers_are_refused(self, options):
        """None of the bounds is infinite."""
        with pytest.raises(ConfigurationError, match=next(iter(options))):
            Retry(Scripted(), **options)


class TestLoading:
    """A model that is loading, or scaled to zero."""

    def test_it_is_waited_for_as_its_server_says(self, run, clock):
        """However many tries that takes."""
        source = Scripted(*[loading(retry_after=20)] * 6, ANSWER)
        played = run(Retry(source, load_timeout=300))
        assert played.result.text == "Hello!"
        assert clock.waits == [20] * 6
        assert [event.number for event in played.events if isinstance(event, Attempt)] == [1, 2, 3, 4, 5, 6]

    def test_not_longer_than_allowed(self, run, clock):
        """The last wait is cut to what is left, and then its error comes out."""
        source = Scripted(*[loading(retry_after=20)] * 10)
        played = run(Retry(source, attempts=1, load_timeout=50))
        assert type(played.error) is OverloadedError
        assert clock.waits == [20, 20, 10]

    def test_by_default_it_is_as_any_failure(self, run, clock):
        """Waiting for minutes is something to ask for."""
        source = Scripted(*[loading()] * 10)
        run(Retry(source, attempts=2))
        assert source.opened == 2

    def test_a_server_that_says_at_once_is_not_stormed(self, run, clock):
        """There is a least wait."""
        source = Scripted(*[loading(retry_after=0)] * 100)
        run(Retry(source, attempts=1, load_timeout=10))
        assert clock.waits == [LOADING_POLL] * 10

    def test_another_failure_counts_as_ever(self, run, clock):
        """Only 503 means loading."""
        source = Scripted(loading(retry_after=1), busy(), busy(), ANSWER)
        played = run(Retry(source, attempts=2, load_timeout=100))
        assert type(played.error) is OverloadedError
        assert source.opened == 2


def test_concurrent_runs_do_not_share_their_tries(run, clock):
    """The recipe is a value; each run counts for itself."""
    source = Scripted()
    retry = Retry(source, attempts=2)
    run(retry)
    run(retry)
    assert source.opened == 4


def test_it_composes_like_any_source():
    """`|` makes a pipeline."""
    assert isinstance(Retry(Scripted()) | (), Pipeline)
