"""What observers are called with, in what order, and what becomes of their own errors."""

import weakref

import pytest

from drivers import fakes
from streamkit.errors import ConfigurationError, SourceError
from streamkit.events import Attempt, Finish, Token, ToolCallDelta, Usage
from streamkit.pipeline import Pipeline
from streamkit.request import Request

FIRED = ["on_start", "on_token", "on_text", "on_completion"]
SCRIPT = [[Token("a")], [Token("b"), Finish(usage=Usage(completion_tokens=2))]]


def test_hooks_are_called_with_the_things_they_name(driver):
    """One whole run, call by call."""
    played = driver.play(fakes.Source(SCRIPT))
    assert played.recorder.calls == [
        ("on_start", Request(prompt="Hi")),
        ("on_token", Token("a")),
        ("on_text", "a"),
        ("on_token", Token("b")),
        ("on_text", "b"),
        ("on_completion", played.result),
        ("on_final", played.result),
    ]


def test_tokens_are_seen_before_the_chain_and_text_after_it(driver):
    """Special tokens and hidden ones are tokens; text is the answer's channel only, and never empty."""
    tokens = [Token("</s>", special=True), Token("hm", channel="reasoning"), Token("x"), Token("yes")]
    hide = fakes.Transform(lambda event: (Token("") if event in (tokens[0], tokens[2]) else event,))
    call = ToolCallDelta(index=0, name="f", arguments="{}")
    played = driver.play(fakes.Source([[*tokens, call]]), hide)
    assert played.raised is None
    assert played.recorder.values("on_token") == tokens
    assert played.recorder.values("on_text") == ["yes"]
    assert played.result.reasoning == "hm"
    assert [found.name for found in played.result.tool_calls] == ["f"]


def test_failed_tries_are_seen_before_the_first_token(driver):
    """The consumer's loop over text does not notice them."""
    attempts = [Attempt(number=number, error="busy", wait=0.0) for number in (1, 2)]
    played = driver.play(fakes.Source([attempts, [Token("a")]]), view="text")
    assert played.items == ["a"]
    assert played.recorder.values("on_retry") == attempts
    assert played.recorder.names[:4] == ["on_start", "on_retry", "on_retry", "on_token"]


def test_an_observer_hears_of_text_before_the_consumer_and_after_the_sinks(driver):
    """The order within one piece of text is: sinks, observers, consumer."""
    log = []
    sink = fakes.Sink(log=log)
    driver.play(
        fakes.Source([[Token("a")]]),
        sinks=(sink,),
        callbacks=[{"on_text": lambda: log.append(f"hook after {len(sink.events)} written")}],
        body=lambda event: log.append("consumer"),
        view="text",
    )
    assert log[:2] == ["hook after 1 written", "consumer"]


def test_arguments_may_be_any_subset_in_any_order(driver):
    """Arguments are matched by name."""
    got = []
    driver.play(
        fakes.Source([[Token("a")]]),
        callbacks=[
            {"on_text": lambda text: got.append([text])},
            {"on_text": lambda run: got.append(run.text)},
            {"on_text": lambda text, run: got.append((text, run.text))},
            {"on_text": lambda run, text: got.append((run.text, text))},
            {"on_text": lambda: got.append(None)},
        ],
    )
    assert got == [["a"], "a", ("a", "a"), ("a", "a"), None]


def test_callbacks_are_called_as_they_are_listed(driver):
    """The list reads as the order of the calls, for every hook."""
    log = []
    first, second = (
        {name: lambda name=name, who=who: log.append((name, who)) for name in (*FIRED, "on_final")} for who in (1, 2)
    )
    driver.play(fakes.Source([[Token("a")]]), callbacks=[first, second])
    assert log == [(name, who) for name in (*FIRED, "on_final") for who in (1, 2)]


def test_coroutine_hooks_are_awaited_in_order(async_driver):
    """Plain functions and coroutine functions may be mixed."""
    log = []

    async def slow(text):
        log.append(f"async {text}")

    played = async_driver.play(
        fakes.Source(SCRIPT),
        callbacks=[{"on_text": slow}, {"on_text": lambda text: log.append(f"sync {text}")}],
        recorder=fakes.AsyncRecorder(),
    )
    assert log == ["async a", "sync a", "async b", "sync b"]
    assert played.recorder.names[-2:] == ["on_completion", "on_final"]


def test_a_synchronous_run_refuses_coroutine_hooks_by_name():
    """At the start, naming hook and plugin and saying what to do; nothing was sent."""
    source = fakes.Source(SCRIPT)
    pipeline = Pipeline(source, callbacks=[fakes.AsyncRecorder()])
    with pytest.raises(ConfigurationError, match=r"hook 'on_start' of plugin '.*AsyncRecorder-\w+'.*use astream\(\)"):
        pipeline.run("Hi")
    assert source.requests == []


@pytest.mark.parametrize("name", FIRED)
def test_a_hook_that_raises_fails_the_run_with_a_note(driver, name):
    """The exception is its own, with the hook and the plugin in a note; later observers still see whole runs."""
    error = ValueError("bug")
    sink = fakes.Sink()
    played = driver.play(fakes.Source(SCRIPT), sinks=(sink,), callbacks=[fakes.Recorder({name: error})])
    assert played.raised is error
    assert played.result.error is error
    assert f"in hook {name!r} of plugin" in error.__notes__[0]
    assert played.recorder.names[-2:] == ["on_error", "on_final"]
    assert name in played.recorder.names
    assert played.result.text == {"on_start": "", "on_token": "", "on_text": "a", "on_completion": "ab"}[name]


@pytest.mark.parametrize("name", ["on_error", "on_abort", "on_final"])
def test_an_observer_of_the_end_that_raises_changes_nothing(driver, caplog, name):
    """It is logged, noted on the first error, and the other observers are called."""
    error = SourceError("broken")
    script = [[Token("a")], error] if name == "on_error" else [[Token("a")]]
    played = driver.play(
        fakes.Source(script),
        callbacks=[fakes.Recorder({name: ValueError("bug")})],
        body=(lambda event: True) if name == "on_abort" else None,
    )
    assert played.raised is (error if name == "on_error" else None)
    assert name in played.recorder.names
    assert "raised ValueError: bug" in caplog.text
    assert name != "on_error" or "raised ValueError: bug" in error.__notes__[0]


def test_two_observers_that_raise_leave_the_first_error(driver, caplog):
    """The second is a note on the first."""
    first, second = ValueError("first"), ValueError("second")
    played = driver.play(
        fakes.Source(SCRIPT), callbacks=[fakes.Recorder({"on_text": first}), fakes.Recorder({"on_text": second})]
    )
    assert played.raised is first
    assert "second" in first.__notes__[-1]
    assert "second" in caplog.text


def test_an_interrupt_in_a_hook_outranks_an_error():
    """Ctrl-C is never lost behind somebody's bug."""
    callbacks = [fakes.Recorder({"on_text": ValueError()}), fakes.Recorder({"on_text": KeyboardInterrupt()})]
    with pytest.raises(KeyboardInterrupt):
        Pipeline(fakes.Source(SCRIPT), callbacks=callbacks).run("Hi")


def test_on_final_of_a_completion_that_failed_is_noted_on_that_failure(driver):
    """The note lands on what the consumer gets to see."""
    error = ValueError("bug")
    played = driver.play(
        fakes.Source(SCRIPT), callbacks=[fakes.Recorder({"on_completion": error, "on_final": OSError("late")})]
    )
    assert played.raised is error
    assert "late" in error.__notes__[-1]


def test_an_observer_can_keep_state_by_run(driver):
    """`run` is one object from `on_start` to `on_final`, and weakly referable."""
    runs = weakref.WeakKeyDictionary()
    seen = []
    driver.play(
        fakes.Source(SCRIPT),
        callbacks=[{"on_start": lambda run: runs.update({run: 1}), "on_final": lambda run: seen.append(runs.pop(run))}],
    )
    assert seen == [1]


def test_a_pipeline_without_callbacks_runs(driver):
    """A pipeline without callbacks has an empty plan."""
    pipeline = Pipeline(fakes.Source(SCRIPT))
    if driver.asynchronous:
        assert driver.run(pipeline.arun, "Hi").text == "ab"
    else:
        assert pipeline.run("Hi").text == "ab"


def test_one_observer_of_text_that_raises_is_named_as_any_other(driver):
    """With no other hook and no sink, another loop calls it."""

    class Only:
        calls = ()  # of which the player looks for more than the text

        def on_text(self, text):
            raise KeyError(text)

    played = driver.play(fakes.Source(SCRIPT), recorder=Only())
    assert isinstance(played.raised, KeyError)
    assert len(played.raised.__notes__) == 1
    assert "in hook 'on_text' of " in played.raised.__notes__[0]
