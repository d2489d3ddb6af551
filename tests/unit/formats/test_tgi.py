"""TGI's native stream."""

import json

import pytest

from streamkit.errors import TruncatedStreamError
from streamkit.events import Finish, Token, Usage
from streamkit.formats import Tgi

FIRST = b'data: {"index":1,"token":{"id":5,"text":"Hi","logprob":-0.5,"special":false},"generated_text":null}\n\n'


def last(details=b"null", text=b'"Hi"'):
    """The last event of a stream."""
    token = b'{"id":2,"text":"</s>","logprob":-1.0,"special":true}'
    return b'data: {"index":2,"token":' + token + b',"generated_text":' + text + b',"details":' + details + b"}\n\n"


def test_every_event_is_a_token_and_the_last_also_the_finish(read):
    """The event with `generated_text` is a token first and then, at once, the end."""
    details = b'{"finish_reason":"eos_token","generated_tokens":2,"seed":7,"input_length":4}'
    events, decoder = read(Tgi(), FIRST + last(details))
    assert events == [
        Token("Hi", 5, -0.5),
        Token("</s>", 2, -1.0, special=True),
        Finish(
            reason="eos_token",
            raw_reason="eos_token",
            usage=Usage(prompt_tokens=4, completion_tokens=2),
            generated_text="Hi",
            reconciled=True,
        ),
    ]
    assert decoder.complete
    assert decoder.error is None


def test_finish_does_not_wait_for_the_end_of_the_body():
    """The finish leaves with the chunk that has the last event."""
    assert isinstance(Tgi().decoder().feed(last())[-1], Finish)


def test_without_details_there_is_no_reason(read):
    """With `details` off the wire has no finish reason, and none is made up."""
    assert read(Tgi(), FIRST + last())[0][-1] == Finish(generated_text="Hi", reconciled=True)


def test_empty_generated_text_is_an_end(read):
    """TGI sends an empty `generated_text` when the answer ends inside a character."""
    assert read(Tgi(), last(text=b'""'))[0][-1] == Finish(generated_text="", reconciled=True)


@pytest.mark.parametrize("sentinel", [b"data: [DONE]\n\n", b"data:[DONE]\n\n", b"data: [DONE]"])
def test_sentinel_after_the_end_is_passed_over(read, sentinel):
    """Gateways may add `[DONE]`."""
    assert len(read(Tgi(), last() + sentinel)[0]) == 2


def test_sentinel_is_no_end_mark(read):
    """`[DONE]` from a gateway does not make a cut answer whole."""
    events, decoder = read(Tgi(), FIRST + b"data: [DONE]\n\n")
    assert events == [Token("Hi", 5, -0.5)]
    assert isinstance(decoder.error, TruncatedStreamError)


def test_empty_tokens_are_kept(read):
    """A token that is half a character has no text yet, but an id."""
    assert read(Tgi(), b'data: {"token":{"id":9,"text":"","logprob":-1}}\n\n')[0] == [Token("", 9, -1.0)]


def token(text, special=False):
    """An event with a token."""
    return b"data: " + json.dumps({"token": {"id": 1, "text": text, "special": special}}).encode() + b"\n\n"


def reconciled(read, pieces, generated, **options):
    """Return what the decoder makes of tokens and the engine's own text."""
    body = b"".join(map(token, pieces)) + last(text=json.dumps(generated).encode())
    return read(Tgi(**options), body)[0][-1].reconciled


@pytest.mark.parametrize("full_text", [True, False])
@pytest.mark.parametrize(
    ("pieces", "generated"),
    [
        (["Hi", " there"], "Hi there"),
        ([" blue", " sky"], "blue sky"),  # the space before the first word, which SentencePiece drops
        (["blue", " sky"], " blue sky"),
        (["Hi", "\nUser:"], "Hi\nUser:"),  # the stop sequence is in both
        (["", "é"], "é"),  # a character of two tokens
        ([], ""),
    ],
)
def test_tokens_that_come_to_the_engines_text_are_reconciled(read, pieces, generated, full_text):
    """The special token at the end is in no text, and the engine may leave out a space at the beginning."""
    assert reconciled(read, pieces, generated, full_text=full_text) is True


@pytest.mark.parametrize("full_text", [True, False])
@pytest.mark.parametrize(
    ("pieces", "generated"),
    [
        (["Hi"], "Hi there"),
        (["Hi", " there"], "Hi"),
        (["Hi", "there"], "Hi there"),
        (["Hi"], "Ho"),
        (["Hi"], ""),
    ],
)
def test_a_difference_is_told(read, pieces, generated, full_text):
    """A token that was lost, doubled or changed on its way shows at the end."""
    assert reconciled(read, pieces, generated, full_text=full_text) is False


def test_an_answer_that_ends_inside_a_character_is_not_judged(read):
    """TGI then sends an empty text, whatever it streamed."""
    assert reconciled(read, ["Hi", ""], "") is None


@pytest.mark.parametrize(("full_text", "verdict"), [(True, None), (False, False)])
def test_more_at_the_beginning_may_be_the_prompt(read, full_text, verdict):
    """Whoever knows that the prompt was not asked for knows that tokens are missing."""
    assert reconciled(read, [" is", " tall"], "The castle is tall", full_text=full_text) is verdict
