"""Plain text, read and written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamkit.errors import GenerationError, TruncatedStreamError
from streamkit.events import Attempt, Finish, Token, ToolCallDelta
from streamkit.formats import Text


def test_only_the_answer_is_sent(written):
    """Reasoning, tool calls and failed tries are no text of the answer."""
    events = [
        Attempt(number=1, error="secret", wait=0),
        Token("hm", channel="reasoning"),
        ToolCallDelta(name="f"),
        Token("Dürer"),
        Finish(reason="length"),
    ]
    assert written(Text().encoder(), events) == "Dürer".encode()


@pytest.mark.parametrize("end", [{"error": GenerationError("x")}, {"outcome": "aborted"}])
def test_an_end_that_is_not_good_cannot_be_said(written, end):
    """The encoder tells the sender to break the connection: a clean end means success."""
    with pytest.raises(TypeError):
        written(Text().encoder(), [Token("a")], **end)


def test_an_error_of_the_engine_is_no_good_end(written):
    """An answer that the engine ended with an error is not complete."""
    with pytest.raises(TypeError):
        written(Text().encoder(), [Token("a"), Finish(reason="error", raw_reason="abort")])


def test_a_refusal_is_the_message():
    """Clients show the body of a refusal to their user."""
    assert Text().encoder(mask=str).refuse(GenerationError("too long")) == ("text/plain; charset=utf-8", b"too long")


def test_lone_surrogates_are_replaced(written):
    """Half a character has no bytes in UTF-8."""
    assert written(Text().encoder(), [Token("a\ud83c")]) == "a\ufffd".encode()


def test_a_broken_connection_is_a_cut_answer():
    """What came is text, but there is no finish."""
    decoder = Text().decoder()
    assert [*decoder.feed(b"abc\xc3"), *decoder.flush(clean=False)] == [Token("abc")]
    assert isinstance(decoder.error, TruncatedStreamError)


@given(st.lists(st.text()), st.integers(1, 5))
def test_text_comes_back(written, texts, size):
    """However the body is cut, the text is the same."""
    body = written(Text().encoder(), map(Token, texts))
    decoder = Text().decoder()
    events = [event for i in range(0, len(body), size) for event in decoder.feed(body[i : i + size])]
    *tokens, finish = [*events, *decoder.flush()]
    assert "".join(token.text for token in tokens) == "".join(texts)
    assert finish == Finish()
    assert decoder.complete
