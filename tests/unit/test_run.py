"""The engine of one run, without I/O."""

import weakref
from types import SimpleNamespace

import pytest

from streamkit.errors import ConfigurationError, GenerationError, PluginError
from streamkit.events import Attempt, Finish, Token, ToolCallDelta, Usage
from streamkit.request import Request
from streamkit.result import ToolCall
from streamkit.run import Run

REQUEST = Request(prompt="Hi")
USAGE = Usage(completion_tokens=2)
STOP = Finish(reason="stop_sequence", stop="x")


class Stage:
    """A transform made of two functions; remembers what its machines were asked."""

    def __init__(self, feed=lambda event: (event,), flush=tuple, name="Stage()"):
        self.asked = []
        self.functions = feed, flush
        self.name = name

    def __repr__(self):
        return self.name

    def start(self):
        """Return the machine."""
        feed, flush = self.functions

        def fed(event):
            self.asked.append(event)
            return feed(event)

        def flushed():
            self.asked.append("flush")
            return flush()

        return SimpleNamespace(feed=fed, flush=flushed)


def fails(*_):
    """Raise."""
    raise ValueError("bug")


def feed(run, *events):
    """Feed events and return all that leaves."""
    return [out for event in events for out in run.feed(event)]


def test_without_transforms_events_pass_as_they_are():
    """And the text, the tokens and the end are kept."""
    run = Run(REQUEST, ())
    events = [
        Token("a"),
        Token("b"),
        Finish(reason="length", usage=USAGE, raw_reason="max_tokens"),
    ]
    assert feed(run, *events) == events
    result = run.complete()
    assert run.done
    assert (result.text, result.tokens, result.finish_reason, result.usage) == ("ab", 2, "length", USAGE)
    assert (result.raw_reason, result.outcome) == ("max_tokens", "completed")


def test_what_the_source_reconciled_is_told_although_a_stop_ends_the_run():
    """The verdict came with the last token, in the same batch."""
    end = Finish(generated_text="ab", reconciled=False)
    run = Run(REQUEST, [Stage(lambda event: (event, STOP))])
    token = Token("a")
    run.foresee([token, end])
    run.feed(token)
    result = run.complete()
    assert (result.finish_reason, result.reconciled) == ("stop_sequence", False)


def test_events_go_through_the_chain_in_order():
    """One event may become none or several, and each goes on to the next machine."""
    twice, drop = Stage(lambda event: (event, event)), Stage(lambda event: () if event.text == "b" else [event])
    mark = Stage(lambda event: (Token(event.text + "!"),), flush=lambda: (Token("."),))
    run = Run(REQUEST, [drop, twice, mark])
    assert feed(run, Token("a"), Token("b")) == [Token("a!"), Token("a!")]
    assert run.text == "a!a!"
    assert run.end() == [Token("."), Finish()]
    assert run.text == "a!a!."


def test_the_end_flushes_in_chain_order_through_the_later_machines():
    """What a machine lets go is fed to the next one before that is flushed; no machine sees the `Finish`."""
    first, second = Stage(lambda _: (), flush=lambda: [Token("held")]), Stage()
    run = Run(REQUEST, [first, second])
    finish = Finish(reason="eos_token")
    assert feed(run, Token("a"), finish) == [Token("held"), finish]
    assert first.asked == [Token("a"), "flush"]
    assert second.asked == [Token("held"), "flush"]


def test_a_machine_that_ends_the_answer_is_asked_nothing_more():
    """Earlier machines are not flushed either: what they hold came after the cut."""
    earlier, ends, later = Stage(), Stage(lambda event: (Token("z"), STOP)), Stage(flush=lambda: (Token("."),))
    run = Run(REQUEST, [earlier, ends, later])
    assert feed(run, Token("a")) == [Token("z"), Token("."), STOP]
    assert run.done
    assert run.feed(Token("late")) == run.end() == ()
    assert earlier.asked == ends.asked == [Token("a")]
    assert later.asked == [Token("z"), "flush"]


def test_of_two_machines_that_end_the_answer_the_later_one_is_right():
    """It cuts text that came before the first one's end."""
    other = Finish(reason="eos_token")
    ends = Stage(lambda event: (Token("a"), Token("b"), STOP))
    again = Stage(lambda event: (other,) if event.text == "a" else (event,))
    run = Run(REQUEST, [ends, again])
    assert feed(run, Token("x")) == [other]
    assert again.asked == [Token("a")]
    assert run.complete().finish_reason == "eos_token"


def test_a_flush_may_end_the_answer():
    """The source's count and words stay, the machine's reason replaces its reason."""
    run = Run(REQUEST, [Stage(flush=lambda: [Token("a"), STOP]), Stage()])
    finish = Finish(reason="eos_token", usage=USAGE, raw_reason="stop")
    assert feed(run, finish) == [
        Token("a"),
        Finish(reason="stop_sequence", stop="x", usage=USAGE, raw_reason="stop"),
    ]


def test_an_end_in_the_same_batch_is_foreseen():
    """Usage that arrived together with the stopping token is kept; a batch that is not ended changes nothing."""
    run = Run(REQUEST, [Stage(lambda event: (STOP,))])
    run.foresee([])
    run.foresee([Token("a")])
    token = Token("a")
    run.foresee([token, Finish(usage=USAGE)])
    (finish,) = run.feed(token)
    assert (finish.reason, finish.usage) == ("stop_sequence", USAGE)


def test_a_foreseen_end_that_was_not_reached_is_not_the_end():
    """The consumer left before it."""
    run = Run(REQUEST, ())
    run.foresee([Token("a"), Finish(reason="length", usage=USAGE)])
    run.feed(Token("a"))
    result = run.abort()
    assert (result.outcome, result.finish_reason, result.usage, result.text) == ("aborted", None, None, "a")


@pytest.mark.parametrize("settle", [lambda run: run.abort(), lambda run: run.fail(OSError("cut"))])
def test_text_held_back_is_not_text_of_a_run_that_ended_early(settle):
    """It may be half a stop sequence, so the result has it apart; other channels are not of the answer."""
    behind = Stage()
    run = Run(REQUEST, [Stage(lambda _: (), flush=lambda: (Token("he"), Token("x", channel="reasoning"))), behind])
    assert feed(run, Token("a")) == []
    result = settle(run)
    assert (run.text, result.text, result.held) == ("", "", "he")
    assert behind.asked[0] == Token("he")


def test_a_completed_run_held_nothing_back():
    """What was held left with the end, also if the run failed after it."""
    run = Run(REQUEST, [Stage(lambda _: (), flush=lambda: (Token("held"),))])
    assert feed(run, Token("a"), Finish())[0] == Token("held")
    assert (run.complete().held, run.fail(OSError("disk")).held) == ("", "")


def test_a_transform_that_cannot_say_what_it_holds_does_not_hide_the_error():
    """What ended the run comes first."""
    run = Run(REQUEST, [Stage(flush=fails)])
    feed(run, Token("a"))
    result = run.fail(OSError("cut"))
    assert (result.text, result.held, str(result.error)) == ("a", "", "cut")


@pytest.mark.parametrize("position", [0, 1, 2])
@pytest.mark.parametrize("step", ["feed", "flush"])
def test_a_transform_that_raises_is_named(position, step):
    """Once, with its cause."""
    chain = [Stage() for _ in range(3)]
    chain[position] = Stage(**{step: fails}, name="Broken()")
    run = Run(REQUEST, chain)
    with pytest.raises(PluginError, match=r"^transform Broken\(\) raised ValueError: bug$") as caught:
        feed(run, Token("a"), Finish())
    assert isinstance(caught.value.__cause__, ValueError)


@pytest.mark.parametrize("step", ["feed", "flush"])
def test_a_transform_that_raises_while_another_ends_the_answer_is_the_one_named(step):
    """The error is not passed through the blame of the transform that stopped."""
    run = Run(REQUEST, [Stage(lambda event: (event, STOP)), Stage(), Stage(**{step: fails}, name="Broken()")])
    with pytest.raises(PluginError, match=r"^transform Broken\(\) raised ValueError: bug$"):
        run.feed(Token("a"))


@pytest.mark.parametrize("wrong", [None, iter(())], ids=["None", "generator"])
def test_a_machine_that_returns_no_sequence_is_named(wrong):
    """A forgotten `return` would otherwise eat the answer without a word."""
    run = Run(REQUEST, [Stage(lambda _: wrong, name="Broken()"), Stage()])
    with pytest.raises(PluginError, match=r"^transform Broken\(\) returned \w+ from feed\(\)"):
        run.feed(Token("a"))


def test_a_transform_that_cannot_start_is_named():
    """Errors of this library pass as they are: they say it better."""
    with pytest.raises(PluginError, match=r"^transform Broken\(\) could not be started: ValueError: bug$"):
        Run(REQUEST, [type("Broken", (), {"start": fails, "__repr__": lambda _: "Broken()"})()])

    def refuse(_):
        raise ConfigurationError("no such vocabulary")

    with pytest.raises(ConfigurationError, match=r"^no such vocabulary$"):
        Run(REQUEST, [type("Picky", (), {"start": refuse})()])


def test_the_text_is_that_of_the_answer_and_reasoning_is_kept_apart():
    """Channels of other names are nobody's text."""
    run = Run(REQUEST, ())
    feed(run, Token("hm", channel="reasoning"), Token("a"), Token("?", channel="mine"), Token("m", channel="reasoning"))
    result = run.complete()
    assert (result.text, result.reasoning) == ("a", "hmm")


def test_tool_calls_are_put_together_by_index():
    """Pieces of several calls may be mixed; the first name and id stay."""
    run = Run(REQUEST, ())
    feed(
        run,
        ToolCallDelta(index=1, id="b", name="g", arguments="{"),
        ToolCallDelta(index=0, id="a", name="f"),
        ToolCallDelta(index=1, id="c", name="h", arguments="}"),
    )
    assert run.complete().tool_calls == (
        ToolCall(id="a", name="f", arguments=""),
        ToolCall(id="b", name="g", arguments="{}"),
    )


def test_a_token_in_two_pieces_is_counted_once():
    """Only the first piece is a token that was read."""
    run = Run(REQUEST, ())
    feed(run, Token("a"), Token("b", cont=True), ToolCallDelta())
    assert run.complete().tokens == 1


def test_times_count_from_the_beginning_and_not_from_the_making():
    """A run may wait for its turn before it is asked for anything."""
    now = [100.0]
    run = Run(REQUEST, (), clock=lambda: now[0])
    now[0] = 160.0
    run.begin()
    now[0] += 0.5
    feed(run, Token("a"))
    now[0] += 1.5
    feed(run, Token("b"))
    timings = run.complete().timings
    assert (timings.first_token, timings.total) == (0.5, 2.0)


@pytest.mark.parametrize(
    "before",
    [ToolCallDelta(), Token("b", cont=True), Attempt(number=1, error="busy", wait=0.0)],
    ids=lambda event: type(event).__name__,
)
def test_the_first_token_is_timed_whatever_came_before_it(before):
    """A failed try, a tool call and the rest of a token are no tokens that were read."""
    now = [0.0]
    run = Run(REQUEST, (), clock=lambda: now[0])
    run.feed(before)
    now[0] = 2.0
    feed(run, Token("a"), Token("b"))
    assert run.complete().timings.first_token == 2.0


def test_there_is_no_first_token_time_without_a_token():
    """`None`, not zero."""
    assert Run(REQUEST, ()).complete().timings.first_token is None


def test_a_failed_run_carries_its_error_and_the_error_its_result():
    """What the engine itself reported is the finish reason as well."""
    run = Run(REQUEST, ())
    feed(run, Token("a"))
    error = GenerationError("out of memory")
    result = run.fail(error)
    assert run.result is result is error.result
    assert (result.text, result.outcome, result.finish_reason, result.error) == ("a", "failed", "error", error)
    foreign = Run(REQUEST, ()).fail(OSError("disk"))
    assert (foreign.outcome, foreign.finish_reason) == ("failed", None)


def test_a_completed_run_can_still_fail():
    """A sink that cannot be closed; the text and the reason stay."""
    run = Run(REQUEST, ())
    feed(run, Token("a"), Finish(reason="length"))
    assert run.result is None
    run.complete()
    error = OSError("disk full")
    result = run.fail(error)
    assert (result.outcome, result.text, result.finish_reason, result.error) == ("failed", "a", "length", error)
    assert run.result is result


def test_a_run_is_itself_and_can_be_watched_weakly():
    """Observers key their state on it."""
    run = Run(REQUEST, ())
    assert weakref.WeakKeyDictionary({run: 1})[run] == 1
    assert run != Run(REQUEST, ())


def test_text_that_has_not_passed_the_chain_does_not_leave_with_the_finish():
    """What a transform hid would come out again in the engine's own account of the answer."""
    run = Run(REQUEST, [])
    assert feed(run, Finish(reason="length", generated_text="a secret")) == [Finish(reason="length")]


def test_usage_that_counts_tokens_behind_the_stop_is_not_kept():
    """Whether the rest of the answer came in the same read is chance, and must not change a result."""
    first, second = Token("a"), Token("b")
    run = Run(REQUEST, [Stage(lambda event: (event, STOP))])
    run.foresee([first, second, Finish(usage=USAGE)])
    run.feed(first)
    assert run.complete().usage is None
