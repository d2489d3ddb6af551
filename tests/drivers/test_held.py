"""What the chain held back when a run was broken off: told in the result, and delivered to nobody."""

import io
import json

import pytest

from drivers import fakes
from streamkit.errors import SourceError
from streamkit.events import Finish, Token
from streamkit.pipeline import Pipeline
from streamkit.sinks import JsonLines
from streamkit.transforms import SkipSpecialTokens, SplitReasoning, StopSequences

STOP = StopSequences("STOP")
BROKEN = SourceError("broken")


def check_told(played, sink, text, held):
    """Hold a run to its result, and its consumer, sink and observer to the text."""
    assert (played.result.text, played.result.held) == (text, held)
    for seen in (played.items, sink.events):
        assert "".join(event.text for event in seen if isinstance(event, Token)) == text
    assert "".join(played.recorder.values("on_text")) == text
    assert not any(isinstance(event, Finish) for event in sink.events)


@pytest.mark.parametrize(
    ("texts", "transforms", "text", "held"),
    [
        (["Hello ", "ST", "O"], [STOP], "Hello ", "STO"),
        (["Hello ST", "<th"], [STOP, SplitReasoning()], "Hello ST", "<th"),
        (["Hello ST", "<th"], [SplitReasoning(), STOP], "Hello ", "ST<th"),
        (["Hello"], [STOP], "Hello", ""),
        (["Hello", "ST"], [fakes.Transform(), STOP, SkipSpecialTokens()], "Hello", "ST"),
    ],
)
def test_a_run_that_fails_tells_what_was_held_back(driver, texts, transforms, text, held):
    """The machines are ended in order, as at a good end, and what they release goes nowhere else."""
    sink = fakes.Sink()
    played = driver.play(fakes.Source([*([Token(each)] for each in texts), BROKEN]), *transforms, sinks=(sink,))
    assert played.raised is BROKEN
    check_told(played, sink, text, held)
    assert sink.results[0].held == played.recorder.values("on_final")[0].held == BROKEN.result.held == held


def test_a_run_that_is_left_tells_what_was_held_back(driver):
    """So does one whose consumer had enough."""
    sink = fakes.Sink()
    script = [[Token("Hello ST")], [Token("z")]]
    played = driver.play(fakes.Source(script), STOP, sinks=(sink,), body=lambda event: True)
    assert played.result.outcome == "aborted"
    check_told(played, sink, "Hello ", "ST")


def test_a_run_that_completes_holds_nothing(driver):
    """What was held has left with the end, or was cut by it."""
    for script in ([[Token("Hello ST")]], [[Token("Hello STOP")]]):
        assert driver.play(fakes.Source(script), STOP).result.held == ""


def test_a_run_that_was_complete_until_its_sink_failed_holds_nothing(driver):
    """Its text has been delivered to the end."""
    played = driver.play(fakes.Source([[Token("ST")]]), STOP, sinks=(fakes.Sink(fails={"close": OSError("full")}),))
    assert (played.result.outcome, played.result.text, played.result.held) == ("failed", "ST", "")


def test_only_the_answer_is_told(driver):
    """Reasoning and hidden tokens that were held are none of the text."""
    script = [[Token("ST"), Token("", special=True, raw="<pad>"), Token("why ST", channel="reasoning")], BROKEN]
    assert driver.play(fakes.Source(script), StopSequences("STOP", scope="all")).result.held == "ST"


def test_a_transform_that_raises_meanwhile_leaves_it_empty(driver):
    """The error of the run stays what it was."""
    played = driver.play(fakes.Source([[Token("ST")], BROKEN]), STOP, fakes.Transform(flush=ValueError("bug")))
    assert played.raised is BROKEN
    assert played.result.held == ""


def test_a_machine_is_not_flushed_twice(driver):
    """A run that failed while its chain was ended has nothing more to tell."""
    flushes = []

    def flush():
        flushes.append(None)
        raise ValueError("bug")

    played = driver.play(fakes.Source([[Token("a")]]), fakes.Transform(flush=flush))
    assert (len(flushes), played.result.held) == (1, "")


def test_a_run_without_tokens_flushes_nothing(driver):
    """What a transform adds at the end of an answer was not held back where there was none."""
    played = driver.play(fakes.Source([BROKEN]), fakes.Transform(flush=lambda: [Token("footer")]))
    assert played.result.held == ""


@pytest.mark.parametrize("per", ["result", "event"])
def test_a_line_of_json_has_it(driver, per):
    """As it has every field of a result."""
    file = io.StringIO()
    pipeline = Pipeline(
        fakes.Source([[Token("Hello ST")], BROKEN]), transforms=[STOP], sinks=[JsonLines(file, per=per)]
    )
    with pytest.raises(SourceError):
        driver.run(pipeline.arun, "Hi") if driver.asynchronous else pipeline.run("Hi")
    last = json.loads(file.getvalue().splitlines()[-1])
    assert (last["text"], last["held"]) == ("Hello ", "ST")
