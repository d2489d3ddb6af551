"""Parts that raise, each at each of its steps; `play` also checks what no ending may break."""

import pytest

from drivers import fakes
from streamkit.errors import (
    ConfigurationError,
    GenerationError,
    PluginError,
    SinkError,
    SourceError,
    TruncatedStreamError,
)
from streamkit.events import Token
from streamkit.pipeline import Pipeline


def test_a_source_that_cannot_be_opened_fails_the_run(driver):
    """The error reaches the consumer with the empty result in it."""
    error = SourceError("no", status=500)
    played = driver.play(fakes.Source(open_error=error))
    assert played.raised is error
    assert played.recorder.names == ["on_start", "on_error", "on_final"]
    assert error.result is played.result
    assert (played.result.outcome, played.result.error, played.result.text) == ("failed", error, "")


def test_a_source_that_breaks_leaves_the_text_so_far(driver, hello):
    """What was delivered before the error is the text of the failed result."""
    error = TruncatedStreamError("cut")
    played = driver.play(fakes.Source([*hello, error]), fakes.Transform(flush=lambda: [Token("held")]))
    assert played.raised is error
    assert error.result.text == "".join(played.texts) == "Hello!"
    assert played.recorder.values("on_error") == [error]
    assert played.result.finish_reason is None


def test_an_error_of_the_engine_is_the_finish_reason(driver, hello):
    """`GenerationError` is the engine's own way to end an answer."""
    played = driver.play(fakes.Source([*hello, GenerationError("oom")]))
    assert played.result.finish_reason == "error"


def test_a_foreign_exception_of_a_source_comes_out_as_it_is(driver, hello):
    """It is not dressed up; the stream keeps the result that the exception cannot carry."""
    error = OSError("disk")
    played = driver.play(fakes.Source([*hello, error]))
    assert played.raised is error
    assert (played.result.error, played.result.text) == (error, "Hello!")


@pytest.mark.parametrize("script", [[[Token("a"), fakes.END]], [[Token("a")]]], ids=["with Finish", "without"])
def test_a_source_that_cannot_be_closed_fails_the_run(driver, script):
    """An error at the end of reading is an error of the run."""
    error = SourceError("broken pipe")
    played = driver.play(fakes.Source(script, close_error=error))
    assert played.raised is error
    assert played.result.outcome == "failed"


def test_a_source_that_swallows_its_own_error_repeats_no_text(driver):
    """A context manager that suppresses an exception ends the answer there; nothing is delivered twice."""
    played = driver.play(fakes.Source([[Token("a")], OSError("swallowed")], swallows=True))
    assert played.texts == ["a"]
    assert played.result.outcome == "completed"


@pytest.mark.parametrize("step", ["feed", "flush"])
def test_a_transform_that_raises_fails_the_run_and_is_named(driver, hello, step):
    """The message names the transform once, and the cause is chained."""
    cause = ValueError("bug")
    broken = fakes.Transform(name="Broken()", **{step: cause})
    played = driver.play(fakes.Source(hello), fakes.Transform(), broken, fakes.Transform())
    assert isinstance(played.raised, PluginError)
    assert str(played.raised) == "transform Broken() raised ValueError: bug"
    assert played.raised.__cause__ is cause
    assert played.raised.result.text == ("" if step == "feed" else "Hello!")


def test_a_transform_that_raises_while_an_earlier_one_ends_the_answer_is_named_alone(driver):
    """The machine that stopped the answer has no part in the error of a later one."""
    broken = fakes.Transform(flush=ValueError("bug"), name="Broken()")
    played = driver.play(fakes.Source([[Token("STOP")]]), fakes.stop_at("STOP"), broken)
    assert str(played.raised) == "transform Broken() raised ValueError: bug"


def test_a_transform_that_cannot_start_is_refused_before_the_run(driver):
    """No hook is called and nothing is sent, since there is no run yet."""
    pipeline = Pipeline(fakes.Source(), transforms=[fakes.Transform(start_error=ValueError("bug"), name="Broken()")])
    with pytest.raises(PluginError, match=r"^transform Broken\(\) could not be started: ValueError: bug$"):
        (pipeline.astream if driver.asynchronous else pipeline.stream)("Hi")


@pytest.mark.parametrize("step", ["open", "write", "close"])
def test_a_sink_that_raises_fails_the_run(driver, hello, step):
    """The other sinks are closed, and the error names the sink and the step."""
    cause = OSError("disk full")
    sink, other = fakes.Sink(fails={step: cause}), fakes.Sink()
    played = driver.play(fakes.Source(hello), sinks=(other, sink))
    assert isinstance(played.raised, SinkError)
    assert played.raised.__cause__ is cause
    assert "could not be" in str(played.raised)
    assert played.raised.result is played.result
    assert played.result.text == {"open": "", "write": "Hel", "close": "Hello!"}[step]
    assert played.source.entered == (step != "open")


@pytest.mark.parametrize("step", ["open", "write", "close"])
def test_an_isolated_sink_that_raises_is_logged_and_the_run_goes_on(driver, hello, caplog, step):
    """One warning, and the sink gets nothing more but its close."""
    sink = fakes.Sink(isolated=True, fails={step: OSError("disk full")})
    played = driver.play(fakes.Source(hello), sinks=(sink,))
    assert played.raised is None
    assert played.result.outcome == "completed"
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "disk full" in caplog.text
    assert len(sink.results) == (step != "open")


def test_an_isolated_sink_that_raises_again_when_it_is_closed_is_logged_once(driver, hello, caplog):
    """What it said first is why; the full disk that a file has at its close is the same one."""
    sink = fakes.Sink(isolated=True, fails={"write": OSError("first"), "close": OSError("second")})
    driver.play(fakes.Source(hello), sinks=(sink,))
    (record,) = caplog.records
    assert "could not be written to: OSError: first" in record.getMessage()
    assert len(sink.results) == 1


def test_a_sink_that_refuses_its_settings_fails_the_run_with_its_own_error(driver, hello):
    """A `ConfigurationError` says whose fault it is, and nothing was sent."""
    error = ConfigurationError("raw text is not for a terminal")
    played = driver.play(fakes.Source(hello), sinks=(fakes.Sink(fails={"open": error}),))
    assert played.raised is error
    assert error.result is played.result
    assert played.source.entered == 0


def test_an_isolated_sink_that_refuses_its_settings_is_logged(driver, hello, caplog):
    """Isolated is isolated: the run goes on without it."""
    sink = fakes.Sink(isolated=True, fails={"open": ConfigurationError("raw text is not for a terminal")})
    assert driver.play(fakes.Source(hello), sinks=(sink,)).raised is None
    assert "could not be opened: ConfigurationError: raw text" in caplog.text


@pytest.mark.parametrize("step", ["write", "close"])
def test_a_sink_that_finds_its_settings_wrong_too_late_is_a_sink_that_failed(driver, hello, step):
    """`ConfigurationError` promises that nothing was sent, which is over then."""
    cause = ConfigurationError("late")
    played = driver.play(fakes.Source(hello), sinks=(fakes.Sink(fails={step: cause}),))
    assert type(played.raised) is SinkError
    assert played.raised.__cause__ is cause


@pytest.mark.parametrize("ending", ["aborted", "failed"])
def test_a_sink_that_cannot_be_closed_after_a_bad_end_does_not_replace_it(driver, hello, caplog, ending):
    """The first cause stays; the sink's failure is logged."""
    sink = fakes.Sink(fails={"close": OSError("disk full")})
    error = SourceError("broken")
    played = driver.play(
        fakes.Source([*hello, error]), sinks=(sink,), body=(lambda event: True) if ending == "aborted" else None
    )
    assert played.result.outcome == ending
    assert played.raised is (error if ending == "failed" else None)
    assert f"the run was {ending}, and sink" in caplog.text


def test_two_sinks_that_cannot_be_closed_leave_the_first_error(driver, hello, caplog):
    """The second is closed too, is told that the run failed, and its own failure is logged."""
    sinks = tuple(fakes.Sink(fails={"close": OSError(name)}) for name in ("first", "second"))
    played = driver.play(fakes.Source(hello), sinks=sinks)
    assert "first" in str(played.raised)
    assert [sink.results[0].outcome for sink in sinks] == ["completed", "failed"]
    assert "second" in caplog.text
