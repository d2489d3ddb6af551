"""Recorded and written response bodies, served over a socket: what a user gets is what their manifests say."""

import socket

import attrs
import pytest

from conformance.test_transcripts import OWN, REASONS, REFERENCE, cases, counts, cut, says_usage
from streamkit import Endpoint, GenerationError, ScrubEos, SkipSpecialTokens, StopSequences, TruncatedStreamError

APIS = {
    "tgi-generate": "tgi",
    "openai-chat": "chat",
    "openai-completions": "completions",
    "ollama-chat": "ollama",
    "ollama-generate": "ollama",
}  # an `Endpoint` asks llama.cpp by the OpenAI routes only
CHAT = [{"role": "user", "content": "Hi"}]


def asked(case):
    """Tell whether a manifest's case is one that an `Endpoint` asks for."""
    return case is None or case["api"] in APIS


CASES = [
    pytest.param(folder, case, way, id=f"{param.id}-{way}", marks=param.marks)
    for param in [*cases(OWN), *cases(REFERENCE)]
    for folder, case, choice in [param.values]
    if asked(case) and choice in (None, "0")  # one run is one answer, the first
    for way in ("whole", "bytes", "split")
    if way != "split" or (case and "suggested_splits" in case)
]


def sent(case, body, way):
    """Return what goes over the wire piece by piece: in one piece, in chunks of a byte, or as the manifest suggests."""
    head = f"HTTP/1.1 {case['http_status']} OK\r\nContent-Type: {case['content_type']}\r\n"
    abrupt = case["eof"] == "abrupt"
    if way == "whole":
        return [f"{head}Content-Length: {len(body) + abrupt}\r\n\r\n".encode() + body]
    chunks = cut(body, range(1, len(body)) if way == "bytes" else case["suggested_splits"])
    framed = [b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks]
    return [f"{head}Transfer-Encoding: chunked\r\n\r\n".encode(), *framed, *([] if abrupt else [b"0\r\n\r\n"])]


@pytest.mark.parametrize(("folder", "case", "way"), CASES)
def test_a_run_comes_to_what_the_manifest_says(drive, serve, folder, case, way):
    """Text, reasoning, tool calls, reason, usage and error, however the body was cut on its way."""
    expected, settings = case["expected"], case["settings"]
    answer = expected["choices"]["0"]
    pieces = sent(case, (folder / case["file"]).read_bytes(), way)

    def handle(connection, _request):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in pieces:
            connection.sendall(piece)

    pipeline = Endpoint(serve(handle).url, api=APIS[case["api"]], model="m") | SkipSpecialTokens()
    if settings["stops"]:
        pipeline |= StopSequences(settings["stops"])
    if settings["eos"]:
        pipeline |= ScrubEos(settings["eos"], mode="all")
    played = drive(pipeline, CHAT if case["api"] == "ollama-chat" else "Hi")
    result = played.result

    assert result.text == played.text == answer["text"]
    assert result.reasoning == answer["reasoning"]
    if expected["error"] is not None:
        assert isinstance(played.error, GenerationError)
        assert {"kind": played.error.kind, "message": str(played.error)} == expected["error"]
    elif answer["cut_by"] is not None:
        assert (result.finish_reason, result.stop) == ("stop_sequence", answer["cut_by"])
    elif not expected["complete"]:
        assert isinstance(played.error, TruncatedStreamError)
    else:
        assert (played.error, result.outcome) == (None, "completed")
        assert REASONS.get(result.finish_reason, result.finish_reason) == answer["finish_reason"]
        assert result.raw_reason == answer["finish_reason_wire"]
        if says_usage(case) and len(expected["choices"]) == 1:  # else it is of all of them together
            assert counts(result.usage) == expected["usage"]
    calls = [{"index": index, **attrs.asdict(call)} for index, call in enumerate(result.tool_calls)]
    assert calls == answer["tool_calls"]
