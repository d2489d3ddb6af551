"""Every shape in which an error arrives gives its message, its kind and its status."""

import pytest

from streamkit.formats._failures import failure, named_failure

SHAPES = {
    "tgi": (b'{"error":"too long","error_type":"validation"}', ("too long", "validation", None)),
    "tgi-unfinished": (
        b'{"error":"Incomplete generation","error_type":"incomplete_generation_stream"}',
        ("Incomplete generation", "incomplete_generation_stream", None),
    ),
    "tgi-openai": (b'{"error":{"message":"m","http_status_code":422}}', ("m", "validation", 422)),
    "vllm": (b'{"error":{"message":"m","type":"BadRequestError","param":null,"code":400}}', ("m", "validation", 400)),
    "vllm-flat": (b'{"object":"error","message":"m","type":"InternalServerError","code":500}', ("m", "server", 500)),
    "sglang": (b'{"error":{"object":"error","message":"m","type":"internal","code":500}}', ("m", "server", 500)),
    "llama.cpp": (b'{"error":{"code":503,"message":"m","type":"unavailable_error"}}', ("m", "overloaded", 503)),
    "ollama": (b'{"error":"m"}', ("m", "server", None)),
    "rate": (b'{"error":{"message":"m","code":429}}', ("m", "overloaded", 429)),
    "word-for-code": (b'{"error":{"message":"m","type":"quota","code":"insufficient"}}', ("m", "quota", None)),
    "gateway-message": (b'{"message":"m"}', ("m", "server", None)),
    "gateway-detail": (b'{"detail":"m","status":404}', ("m", "validation", 404)),
    "detail-list": (b'{"detail":[{"loc":["body"],"msg":"m"}]}', ('[{"loc": ["body"], "msg": "m"}]', "server", None)),
    "no-message": (b'{"error":{"code":500}}', ('{"code": 500}', "server", 500)),
    "empty-string": (b'{"error":""}', ('{"error": ""}', "server", None)),
    "list": (b'{"error":["a","b"]}', ('["a", "b"]', "server", None)),
}


@pytest.mark.parametrize(("payload", "expected"), SHAPES.values(), ids=SHAPES)
def test_shape(payload, expected):
    """Message, kind and status are found where each engine puts them."""
    error = failure(payload)
    assert (str(error), error.kind, error.status) == expected


@pytest.mark.parametrize(
    "payload",
    [
        b"{}",
        b"[]",
        b"1",
        b"null",
        b"{",
        b'{"error":null}',
        b'{"message":{}}',
        b'{"choices":[],"message":"m"}',
        b'{"choices":[],"detail":"m"}',
        b"[" * 9999,
    ],
)
def test_what_reports_no_error_is_none(payload):
    """An object that says nothing of an error is not taken for one, whatever it is."""
    assert failure(payload) is None


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        (b"upstream went away", "upstream went away"),
        (b'"quoted"', "quoted"),
        (b'{"code":1}', "'{\"code\":1}'"),
        (b'{"error":{"message":"m"}}', "m"),
        (b"\xff", "\ufffd"),
    ],
)
def test_what_the_framing_calls_an_error_is_one(payload, message):
    """An event named `error` is an error with whatever text it has."""
    assert str(named_failure(payload)) == message
