"""Answers that are complete, in both drivers; `play` also checks what no ending may break."""

from drivers import fakes
from streamkit.events import Finish, Token


def test_an_answer_with_its_end_is_completed(driver, hello):
    """The result tells what the source's `Finish` told, and the consumer gets that `Finish` last."""
    played = driver.play(fakes.Source([*hello, [fakes.END]]))
    assert played.raised is None
    assert played.texts == ["Hel", "lo", "!"]
    assert played.items[-1] == fakes.END
    assert played.recorder.names[-2:] == ["on_completion", "on_final"]
    result = played.result
    assert (result.text, result.outcome, result.finish_reason, result.tokens) == ("Hello!", "completed", "eos_token", 3)
    assert result.usage == fakes.END.usage
    assert result.error is None


def test_a_source_that_just_ends_is_completed_without_a_reason(driver, hello):
    """A source that has no protocol of its own (an iterable) need not send a `Finish`: the engine adds an empty one."""
    played = driver.play(fakes.Source(hello))
    assert played.items[-1] == Finish()
    assert (played.result.outcome, played.result.finish_reason) == ("completed", None)


def test_a_source_without_anything_is_completed_and_empty(driver):
    """No batch, and an empty batch, are answers without text."""
    for script in ([], [[]]):
        played = driver.play(fakes.Source(script))
        assert played.items == [Finish()]
        assert played.recorder.names == ["on_start", "on_completion", "on_final"]
        assert played.result.timings.first_token is None


def test_a_machine_that_stops_closes_the_source_before_the_last_text_is_handed_out(driver):
    """The model stops being billed at once; the run is completed with the machine's reason."""
    source = fakes.Source([[Token("a")], [Token("STOP"), Token("never")], AssertionError("read too far")])
    sink = fakes.Sink(log=source.log)
    closed_at = {}
    played = driver.play(
        source,
        fakes.stop_at("STOP"),
        sinks=(sink,),
        callbacks=[{"on_text": lambda text: closed_at.update({text: source.exited})}],
        body=lambda event: closed_at.update({event: source.exited}),
    )
    assert played.texts == ["a", "last"]
    assert closed_at["a"] == 0
    assert closed_at["last"] == closed_at[Token("last")] == 1
    assert source.log == ["source closed", "sink closed"]
    assert (played.result.outcome, played.result.finish_reason, played.result.stop) == (
        "completed",
        "stop_sequence",
        "STOP",
    )
    assert [token.text for token in played.recorder.values("on_token")] == ["a", "STOP"]


def test_usage_that_came_with_the_stopping_token_is_kept(driver):
    """TGI reports usage in the event of the last token, which the stop would otherwise cut off."""
    played = driver.play(fakes.Source([[Token("STOP"), fakes.END]]), fakes.stop_at("STOP"))
    assert played.result.usage == fakes.END.usage
    assert played.result.finish_reason == "stop_sequence"
    assert [type(event) for event in played.items].count(Finish) == 1


def test_a_machine_may_end_the_answer_while_it_is_flushed(driver):
    """What was held back can complete a stop sequence: its reason replaces the source's, and the usage stays."""
    ends = fakes.Transform(flush=lambda: (Token("held"), Finish(reason="stop_sequence", stop="x")))
    after = fakes.Transform(lambda event: (Token(event.text.upper()),), flush=lambda: (Token("."),))
    played = driver.play(fakes.Source([[Token("a"), fakes.END]]), ends, after)
    assert played.texts == ["A", "HELD", "."]
    assert played.items[-1] == Finish(reason="stop_sequence", stop="x", usage=fakes.END.usage)
    assert played.result.text == "AHELD."
