"""Where a stream's reader and its sender meet."""

import pytest

from streamkit.errors import GenerationError, SinkError
from streamkit.events import Attempt, Finish, Token
from streamkit.formats import OpenAIChat, Text, UIMessage
from streamkit.request import Request
from streamkit.run import Run
from streamkit.web._answer import HIGH_WATER, Answer


def ended(*events, error=None, aborted=False):
    """Return the result of a run."""
    run = Run(Request(prompt=""), ())
    for event in events:
        run.feed(event)
    run.end()
    return run.fail(error) if error else run.abort() if aborted else run.complete()


def test_what_was_said_leaves_in_one_piece():
    """Tokens that came together go together, after the beginning of the protocol."""
    answer = Answer(UIMessage().encoder(message_id="m"))
    answer.feed(Token("a"))
    answer.feed(Token("b"))
    data = answer.take()
    assert data.index(b'"start"') < data.index(b'"a"') < data.index(b'"b"')
    assert answer.take() == b""


def test_an_event_without_words_does_not_begin_the_response():
    """A failed try leaves it open what the status will be."""
    answer = Answer(Text().encoder())
    answer.feed(Attempt(number=1, error="x", wait=0))
    answer.feed(Token(""))
    assert not answer.opened
    assert not answer.ready


def test_a_failure_before_the_first_byte_is_a_refusal():
    """Nothing of the protocol is sent."""
    answer = Answer(OpenAIChat().encoder())
    answer.end(ended(error=GenerationError("x", kind="validation")))
    assert answer.refusal.status == 422
    assert answer.take() == b""
    assert answer.ended


def test_a_failure_after_the_first_byte_is_the_protocols():
    """The head has gone, so that the encoder says it."""
    answer = Answer(OpenAIChat().encoder())
    answer.feed(Token("a"))
    answer.end(ended(Token("a"), error=GenerationError("x")))
    assert answer.refusal is None
    assert b'"error"' in answer.take()


@pytest.mark.parametrize(("aborted", "message"), [(True, "stopped"), (False, "'abort'")])
def test_what_cannot_be_said_breaks_the_connection(aborted, message):
    """Plain text has no word for a stop, nor for an engine that gave up."""
    answer = Answer(Text().encoder())
    answer.feed(Token("a"))
    finish = [] if aborted else [Finish(reason="error", raw_reason="abort")]
    answer.end(ended(Token("a"), *finish, aborted=aborted))
    assert message in str(answer.failure)
    assert answer.take() == b"a"


def test_what_went_wrong_in_sending_is_a_failure():
    """The run itself was only left."""
    answer = Answer(UIMessage().encoder())
    answer.feed(Token("a"))
    answer.end(ended(Token("a"), aborted=True), SinkError("slow"))
    assert b'"error"' in answer.take()


def test_a_mask_that_raises_ends_the_answer(caplog):
    """Nobody waits for an ending that does not come."""
    answer = Answer(Text().encoder(mask=lambda error: 1 / 0))
    answer.end(ended(error=GenerationError("x")))
    with pytest.raises(ZeroDivisionError):
        answer.check()
    assert "ZeroDivisionError" in caplog.text


def test_an_unexpected_error_is_logged_with_its_traceback(caplog):
    """One of ours speaks for itself, and is logged on one line."""
    for error in (ValueError("a\nb"), GenerationError("c\nd")):
        Answer(UIMessage().encoder()).end(ended(error=error))
    first, second = caplog.records
    assert first.exc_info[1].args == ("a\nb",)
    assert not second.exc_info
    assert second.getMessage() == "a streaming response failed: GenerationError: 'c\\nd'"


def test_nothing_is_said_after_the_end():
    """Whoever is late is not heard."""
    answer = Answer(Text().encoder())
    answer.end(ended())
    answer.feed(Token("late"))
    answer.cut()
    answer.end(ended(error=GenerationError("late")))
    assert answer.take() == b""
    assert answer.failure is None


def test_a_client_that_left_is_forgotten():
    """What waits for it is dropped, and no error is made of what follows."""
    answer = Answer(Text().encoder())
    answer.feed(Token("a"))
    answer.drop()
    answer.end(ended(error=GenerationError("x")))
    answer.check()
    assert answer.take() == b""
    assert answer.ready


def test_a_full_answer_says_so_until_it_is_taken():
    """The reader of the stream waits meanwhile."""
    answer = Answer(Text().encoder())
    answer.feed(Token("x" * (HIGH_WATER - 1)))
    assert not answer.full
    answer.feed(Token("x"))
    assert answer.full
    answer.take()
    assert not answer.full


def test_the_application_cannot_fill_the_memory():
    """Parts that nobody takes are refused in the end."""
    answer = Answer(UIMessage().encoder())
    answer.say(b"x" * 10, limit=10)
    with pytest.raises(SinkError, match="reads too slowly"):
        answer.say(b"x", limit=10)


def test_whoever_sends_is_woken():
    """By anything to send, and by the end."""
    answer, woken = Answer(Text().encoder()), []
    answer.wake = lambda: woken.append(answer.ready)
    answer.feed(Token("a"))
    answer.take()
    answer.end(ended())
    assert woken == [True, True]
