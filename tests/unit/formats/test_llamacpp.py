"""llama.cpp's native stream."""

import pytest

from streamkit.errors import GenerationError
from streamkit.events import Finish, Token, Usage
from streamkit.formats import LlamaCpp


def test_text_ids_and_counts(read):
    """Content, the id of a lone token and the counts of the last event are read."""
    body = (
        b'data: {"index":0,"content":"a","tokens":[7],"stop":false}\n\n'
        b'data: {"index":0,"content":"bc","tokens":[8,9],"stop":false}\n\n'
        b'data: {"content":"","stop":true,"stop_type":"limit","tokens_evaluated":3,"tokens_predicted":4}\n\n'
    )
    assert read(LlamaCpp(), body)[0] == [
        Token("a", 7),
        Token("bc"),
        Finish(reason="length", raw_reason="limit", usage=Usage(prompt_tokens=3, completion_tokens=4)),
    ]
    assert isinstance(LlamaCpp().decoder().feed(body)[-1], Finish)


@pytest.mark.parametrize(
    ("fields", "finish"),
    [
        (b'"stop_type":"eos","stopping_word":""', Finish(reason="eos_token", raw_reason="eos")),
        (b'"stop_type":"word","stopping_word":"##"', Finish(reason="stop_sequence", raw_reason="word", stop="##")),
        (b'"stop_type":"none"', Finish(raw_reason="none")),
        (b'"stopped_eos":true', Finish(reason="eos_token", raw_reason="eos")),
        (b'"stopped_word":true,"stopping_word":"##"', Finish(reason="stop_sequence", raw_reason="word", stop="##")),
        (b'"stopped_limit":true', Finish(reason="length", raw_reason="limit")),
        (b'"model":"m"', Finish()),
    ],
)
def test_reason(read, fields, finish):
    """The reason is a word in newer builds and one of three booleans in older ones."""
    assert read(LlamaCpp(), b'data: {"content":"","stop":true,' + fields + b"}\n\n")[0] == [finish]


def test_probabilities_part_the_text(read):
    """With `n_probs`, each entry is a token."""
    body = (
        b'data: {"content":"ab","completion_probabilities":'
        b'[{"id":1,"token":"a","logprob":-1.0},{"id":2,"token":"b","logprob":-2.0}]}\n\n'
    )
    assert read(LlamaCpp(), body)[0] == [Token("a", 1, -1.0), Token("b", 2, -2.0)]


@pytest.mark.parametrize("field", [b"data", b"error"])
def test_error_in_both_fields(read, field):
    """Builds before mid-2025 wrote errors into an `error` field instead of `data`."""
    inner = b'{"code":500,"message":"slot lost","type":"server_error"}'
    payload = inner if field == b"error" else b'{"error":' + inner + b"}"
    events, decoder = read(LlamaCpp(), b'data: {"content":"a"}\n\n' + field + b": " + payload + b"\n\n")
    assert events == [Token("a")]
    assert isinstance(decoder.error, GenerationError)
    assert (str(decoder.error), decoder.error.kind, decoder.error.status) == ("slot lost", "server", 500)
