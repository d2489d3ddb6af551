"""What every decoder promises, whatever the dialect."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamkit.errors import FormatError, GenerationError, LimitExceededError, TruncatedStreamError
from streamkit.events import Finish, Token
from streamkit.formats import LlamaCpp, Ollama, OpenAIChat, OpenAICompletions, Tgi
from streamkit.formats._decoder import MAX_ANSWER_BYTES
from streamkit.protocols import Format

FORMATS: list[Format] = [Tgi(), OpenAIChat(), OpenAICompletions(), Ollama(), LlamaCpp()]
every_format = pytest.mark.parametrize("fmt", FORMATS, ids=lambda fmt: type(fmt).__name__)
TOKEN = b'data: {"token":{"text":"a"}}\n\n'
END = b'data: {"token":{"text":"b"},"generated_text":"ab"}\n\n'
PIECES = [
    *(
        b'{"',
        b'":',
        b"{",
        b"}",
        b"[",
        b"]",
        b'"',
        b",",
        b"null",
        b"true",
        b"1",
        b"-1e999",
        b"\\ud800",
        b"\xff",
        b"\x00",
    ),
    *(
        b"data:",
        b"data: ",
        b"event: error",
        b"error: ",
        b": ",
        b"\n",
        b"\n\n",
        b"\r",
        b"\r\n",
        b"\xef\xbb\xbf",
        b"[DONE]",
    ),
    *(b"token", b"text", b"generated_text", b"details", b"choices", b"delta", b"content", b"finish_reason", b"usage"),
    *(b"tool_calls", b"function", b"arguments", b"index", b"logprobs", b"tokens", b"error", b"message", b"detail"),
    *(b"response", b"done", b"stop", b"object", b"code", b"type"),
    *(TOKEN, END, b'data: {"choices":[{"index":0,"delta":{"content":"x"},"text":"y"}]}\n\n', b'{"response":"z"}\n'),
    *(
        b'data: {"choices":[{"finish_reason":"stop"}]}\n\n',
        b'{"done":true}\n',
        b'data: {"content":"w","stop":true}\n\n',
    ),
]


def run(fmt, chunks, clean):
    """Decode chunks and return everything a reader can see."""
    decoder = fmt.decoder()
    events = [event for chunk in chunks for event in decoder.feed(chunk)]
    events += decoder.flush(clean=clean)
    return events, decoder.complete, type(decoder.error), str(decoder.error)


@every_format
@given(
    body=st.one_of(st.binary(), st.lists(st.sampled_from(PIECES)).map(b"".join)),
    clean=st.booleans(),
    seed=st.integers(),
)
def test_no_bytes_raise_and_no_cut_matters(fmt, body, clean, seed):
    """Any bytes, cut anyhow, give the same events, error and completeness, and never an exception."""
    dice = random.Random(seed)
    cuts = sorted(dice.choices(range(len(body) + 1), k=3))
    whole = run(fmt, [body], clean)
    events, complete, error, _ = whole
    assert run(fmt, [body[i : i + 1] for i in range(len(body))], clean) == whole
    assert run(fmt, [body[a:b] for a, b in zip([0, *cuts], [*cuts, len(body)], strict=True)], clean) == whole
    assert complete == (error is type(None))
    assert (
        sum(isinstance(event, Finish) for event in events)
        == isinstance(events[-1] if events else None, Finish)
        == complete
    )


@every_format
def test_nothing_at_all_is_a_truncated_stream(fmt):
    """An empty body is not an empty answer."""
    assert run(fmt, [], clean=True)[1:3] == (False, TruncatedStreamError)


@every_format
def test_decoders_share_nothing(fmt):
    """A format is a recipe: every response has a decoder of its own."""
    first, second = fmt.decoder(), fmt.decoder()
    first.feed(b"data: nonsense\n\n")
    assert first.error is not None
    assert second.error is None


def test_text_before_an_error_is_returned_and_nothing_after_it():
    """One chunk with text, an error and more text gives the text and the error."""
    decoder = Tgi().decoder()
    assert decoder.feed(TOKEN + b'data: {"error":"boom","error_type":"generation"}\n\n' + END) == [Token("a")]
    assert isinstance(decoder.error, GenerationError)
    assert (decoder.feed(END), decoder.flush(), decoder.complete) == ([], [], False)
    assert str(decoder.error) == "boom"


def test_invalid_json_names_its_place(read):
    """An event that is not JSON is a format error with its offset in the body and a short, escaped excerpt."""
    events, decoder = read(Tgi(), TOKEN + b": c\n\ndata: {oops\x1b" + b"x" * 500 + b"\n\n" + END)
    assert events == [Token("a")]
    assert type(decoder.error) is FormatError
    assert str(decoder.error).startswith(f"the event at byte {len(TOKEN) + 5} cannot be read (")
    assert str(decoder.error).endswith("...")
    assert "{oops\\x1bxxx" in str(decoder.error)
    assert "x" * 80 not in str(decoder.error)


@pytest.mark.parametrize("payload", [b"null", b"1", b'"text"', b'{"token":{"text":7}}', b'{"token":[]}', b"[" * 5000])
def test_json_of_another_shape_is_a_format_error(read, payload):
    """JSON that cannot be an event of the dialect is refused, not guessed at."""
    assert type(read(Tgi(), b"data: " + payload + b"\n\n")[1].error) is FormatError


def test_event_over_the_limit(read):
    """An event over the bound ends the stream; the text before it stands."""
    events, decoder = read(Tgi(max_event_bytes=40), TOKEN + b"data: " + b"x" * 40)
    assert events == [Token("a")]
    assert type(decoder.error) is LimitExceededError
    assert "40 bytes" in str(decoder.error)


def test_last_event_without_its_blank_line_counts_at_a_clean_end_only(read):
    """A whole event without its blank line is read at a clean end and dropped when the connection broke."""
    assert read(Tgi(), TOKEN + END[:-2])[1].complete
    events, decoder = read(Tgi(), TOKEN + END[:-2], clean=False)
    assert (events, decoder.complete) == ([Token("a")], False)
    assert type(decoder.error) is TruncatedStreamError


def test_half_an_event_is_a_truncation_not_a_format_error(read):
    """Half a JSON object at the end of a body means that the stream was cut."""
    for clean in (True, False):
        assert type(read(Tgi(), TOKEN + END[:20], clean=clean)[1].error) is TruncatedStreamError


def test_error_without_its_blank_line_is_still_the_error(read):
    """An error report is not lost because the server left without ending its event."""
    error = read(Tgi(), TOKEN + b'data: {"error":"boom"}')[1].error
    assert (type(error), str(error)) == (GenerationError, "boom")


def test_truncation_says_what_was_missing_and_hints_at_a_wrong_format(read):
    """A body of another dialect ends as truncated, with the number of events that were not understood."""
    error = read(Tgi(), b'data: {"choices":[]}\n\n' * 2)[1].error
    assert str(error) == (
        "the stream ended without an event with `generated_text` (2 of its events were not in this format)"
    )


def test_bytes_outside_utf8_and_raw_controls_are_read(read):
    """Invalid bytes become U+FFFD, raw NUL and ESC stay what they are, wherever in the stream."""
    body = b'data: {"token":{"text":"a\xffb"}}\n\ndata: {"token":{"text":"\x00\x1b[1m"}}\n\n' + END
    assert [event.text for event in read(Tgi(), body)[0][:-1]] == ["a\ufffdb", "\x00\x1b[1m", "b"]


@pytest.mark.parametrize("separator", ["\u2028", "\u2029", "\u0085", "\x1c"])
def test_separators_inside_json_are_text(read, separator):
    """Characters that other readers take for line ends come through exactly."""
    body = f'data: {{"token":{{"text":"a{separator}b"}}}}\n\n'.encode() + END
    assert read(Tgi(), body)[0][0] == Token(f"a{separator}b")


def test_data_of_spaces_is_passed_over(read):
    """An event with blank data is no event."""
    assert read(Tgi(), b"data:   \n\n" + END)[1].complete


def test_frozen_recipe_has_a_positive_bound():
    """A bound of nothing would refuse every stream."""
    with pytest.raises(ValueError, match="max_event_bytes"):
        Tgi(max_event_bytes=0)


def test_an_answer_that_goes_on_for_ever_is_ended():
    """Whatever it is made of: what came up to then is kept, and no memory is filled."""
    decoder = Tgi().decoder()
    comment = b":" + b"x" * (2**20 - 200) + b"\n\n"

    assert [event.text for event in decoder.feed(TOKEN)] == ["a"]
    for _ in range(MAX_ANSWER_BYTES // len(comment)):
        decoder.feed(comment)
        assert decoder.error is None
    decoder.feed(comment + TOKEN)

    assert isinstance(decoder.error, LimitExceededError)
    assert "268435456 bytes" in str(decoder.error)
    assert decoder.feed(TOKEN) == []
