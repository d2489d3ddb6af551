"""What a client gets from a view that returns a stream, in every framework."""

import functools
import itertools
import json
import queue

import pytest

from integration.web.client import eventually
from streamkit import Pipeline, StreamkitError, TruncatedStreamError, from_iterable
from streamkit.testing import ScriptedToken

# Django's ASGI handler leaves a request's body file open where the response raises in the middle (5.2, `handle`).
pytestmark = pytest.mark.filterwarnings("ignore:.*SpooledTemporaryFile:pytest.PytestUnraisableExceptionWarning")

EOS = ScriptedToken("</s>", special=True)
CLASSES = {
    "StreamingTextResponse": "text",
    "UIMessageResponse": "ui_message",
    "OpenAIChatResponse": "chat",
    "OpenAICompletionsResponse": "completions",
    "TgiResponse": "tgi",
    "NdjsonResponse": "ndjson",
}
SSE = ["UIMessageResponse", "OpenAIChatResponse", "OpenAICompletionsResponse", "TgiResponse"]


@pytest.mark.parametrize("name", CLASSES)
def test_every_format_arrives_whole(site, model, source, name):
    """A view returns the response, and the client reads the answer with our own decoder."""
    from streamkit.formats import FORMATS
    from streamkit.testing.feeding import visible

    server = model(["Hel", "lo", " Dürer", EOS])
    site.view = lambda: getattr(site.responses, name)(site.stream(source(server)))
    with site.ask() as client:
        assert client.status == 200
        assert client.complete
        fmt = FORMATS[CLASSES[name]]
        decoder = fmt.decoder()
        events = [*decoder.feed(client.body), *decoder.flush()]
        assert decoder.complete
        assert visible(events).removesuffix("</s>") == "Hello Dürer"
        headers = client.headers
        assert headers["content-type"] == fmt.content_type
        assert "no-cache" in headers["cache-control"]
        assert headers["x-accel-buffering"] == "no"
        assert "content-length" not in headers
        assert headers.get("content-encoding", "identity") == "identity"


def test_tokens_arrive_one_by_one(site, model, source):
    """Each token is at the client before the model may send the next."""
    server = model(["one", " two", " three", EOS], gate=True)
    site.view = lambda: site.responses.NdjsonResponse(site.stream(source(server)))
    with site.ask() as client:
        for word in (b"one", b" two", b" three"):
            server.release()
            client.until(word)
            assert not client.has_more()
        server.release()
        assert client.complete


@pytest.mark.parametrize(
    ("status", "retry", "ours"), [(401, None, 502), (422, None, 422), (429, "7", 429), (503, "9", 502)]
)
def test_a_refusal_of_the_model_has_a_status_of_its_own(site, model, source, status, retry, ours, caplog):  # noqa: PLR0917 - fixtures
    """An error before the first byte is an HTTP error, masked for the client, and logged."""
    from streamkit.testing import Response

    headers = {"retry-after": retry} if retry else {}
    refusal = Response(status=status, body=b'{"error":"the secret reason"}', headers=headers)
    server = model(respond=refusal)
    site.view = lambda: site.responses.OpenAIChatResponse(site.stream(source(server)))
    with site.ask() as client:
        assert client.status == ours
        assert json.loads(client.rest())["error"]["message"] == "An error occurred."
        assert client.complete
        assert client.headers["content-type"] == "application/json"
        assert client.headers.get("retry-after") == retry
    assert "the secret reason" in caplog.text


def test_a_message_for_the_client_is_the_applications(site, model, source):
    """A mapping of errors to messages takes the place of the mask."""
    server = model(respond=lambda seen: None, api_key="right")
    site.view = lambda: site.responses.StreamingTextResponse(
        site.stream(source(server)), mask=lambda error: f"Sorry: {type(error).__name__}"
    )
    with site.ask() as client:
        assert client.status == 502
        assert client.rest() == b"Sorry: AuthenticationError"


def test_a_mask_that_raises_is_an_error_of_the_server(site, model, source):
    """The application's own mistake neither hangs a client nor tells it anything."""
    server = model(api_key="right")
    site.view = lambda: site.responses.StreamingTextResponse(
        site.stream(source(server)), mask=lambda error: 1 / 0, headers={"x": "y"}
    )
    with site.ask() as client:
        assert client.status == 500
        assert b"secret" not in client.rest()


def test_an_error_in_the_middle_is_told_in_the_protocol(site, parts):
    """The answer so far stays, and the protocol's own error follows it."""

    def cut():
        yield "Hello"
        raise TruncatedStreamError("http://internal")

    site.view = lambda: site.responses.UIMessageResponse(site.stream(from_iterable(cut())))
    with site.ask() as client:
        assert client.status == 200
        *_, delta, end, error, done = parts(client.rest())
        assert client.complete
    assert (delta["delta"], end["type"], done) == ("Hello", "text-end", "[DONE]")
    assert error == {"type": "error", "errorText": "An error occurred."}


def test_a_text_that_was_cut_is_no_complete_response(site):
    """Plain text cannot say so, but the connection can."""

    def cut():
        yield "Hello"
        raise StreamkitError("cut")

    site.view = lambda: site.responses.StreamingTextResponse(site.stream(from_iterable(cut())))
    with site.ask() as client:
        assert client.rest() == b"Hello"
        if "transfer-encoding" in client.headers:
            assert not client.complete


def test_an_empty_answer_is_an_answer(site):
    """A model may say nothing."""
    site.view = lambda: site.responses.StreamingTextResponse(site.stream(from_iterable([])))
    with site.ask() as client:
        assert client.status == 200
        assert client.rest() == b""
        assert client.complete


def test_headers_of_the_application_win(site):
    """They are added to those of the protocol, whatever their case."""
    headers = {"X-Request-Id": "7", "Cache-Control": "private"}
    site.view = lambda: site.responses.TgiResponse(site.stream(from_iterable(["a"])), headers=headers)
    with site.ask() as client:
        assert client.headers["x-request-id"] == "7"
        assert client.headers["cache-control"] == "private"


def test_a_client_that_leaves_ends_the_run(site, model, source):
    """The model is not asked for tokens that nobody reads, and the application hears that the answer was not read."""
    server = model(["word "] * 1000, pace=0.02)
    ended = queue.Queue()

    def on_final(result):
        ended.put(result)

    pipeline = Pipeline(source(server), callbacks={"on_final": on_final})
    site.view = lambda: site.responses.TgiResponse(site.stream(pipeline))
    with site.ask() as client:
        client.until(b"word")
    assert server.requests[0].client_left.wait(1.0)
    result = ended.get(timeout=1.0)
    assert result.outcome == "aborted"
    assert result.text.startswith("word ")


def test_a_client_that_leaves_before_the_first_token_ends_the_run(site, model, source):
    """It is noticed while the model is still silent, where the server tells; elsewhere by the first keep-alive."""
    server = model(["late"], gate=True)
    pings = {} if site.sees_leaving else {"keep_alive": 0.1}
    site.view = lambda: site.responses.TgiResponse(site.stream(source(server)), **pings)
    with site.ask():
        seen = server.wait_for_request()
    assert seen.client_left.wait(1.0)


@pytest.mark.parametrize("name", SSE)
def test_silence_is_kept_alive(site, model, source, name):
    """While the model is silent comments are sent, before the first token and after it."""
    server = model(["one", " two"], gate=True)
    site.view = lambda: getattr(site.responses, name)(site.stream(source(server)), keep_alive=0.05)
    with site.ask() as client:
        client.until(b":\n\n:\n\n")
        server.release()
        client.until(b"one")
        client.until(b"one" + client.body.partition(b"one")[2] + b":\n\n")
        server.release()
        assert client.complete
        assert b"two" in client.body


@pytest.mark.parametrize("name", ["StreamingTextResponse", "NdjsonResponse"])
def test_formats_without_comments_keep_silent(site, model, source, name):
    """Nothing is put into a stream that has no word for it."""
    server = model(["one"], gate=True)
    site.view = lambda: getattr(site.responses, name)(site.stream(source(server)), keep_alive=0.02)
    with site.ask() as client:
        server.wait_for_request()
        assert not client.has_more()
        server.release()
        assert client.complete


def endless():
    """Return a script that never ends, of a kilobyte per token."""
    return {"script": lambda seen: itertools.repeat("x" * 1000), "max_total_tokens": 10**9}


def test_a_slow_client_slows_its_source(site, model, source):
    """What waits for it is bounded by buffers, ours and the kernel's, and not by what the model could say."""
    server = model(**endless())
    site.view = lambda: site.responses.NdjsonResponse(site.stream(source(server), max_new_tokens=10**6))
    with site.ask(buffer=4096) as client:
        client.until(b"xxx")
        seen = server.requests[0]
        looks = []

        def stands():
            looks.append(seen.tokens_sent)
            return looks[-1] == looks[-60:][0] and len(looks) >= 60

        assert eventually(stands)
        assert looks[-1] < 15_000  # of a million kilobytes; most of it in the buffers of the kernel
    assert seen.client_left.wait(2.0)


def test_a_client_that_takes_nothing_is_given_up(site, model, source):
    """After `send_timeout` seconds its run is ended."""
    server = model(**endless())
    stream = functools.partial(site.stream, max_new_tokens=10**6)
    site.view = lambda: site.responses.NdjsonResponse(stream(source(server)), send_timeout=0.2)
    with site.ask(buffer=4096) as client:
        client.until(b"xxx")
        assert server.requests[0].client_left.wait(10.0)


def test_the_application_adds_parts_of_its_own(site, model, source, parts):
    """Data that are written before the first token are sent before it, and a last hook may write still."""
    server = model(["Hello"], gate=True)
    writers = []

    def view():
        pipeline = Pipeline(source(server), callbacks={"on_final": lambda result: writers[0].metadata({"n": 1})})
        response = site.responses.UIMessageResponse(site.stream(pipeline), message_id="m")
        writers.append(response.writer)
        response.writer.data("status", {"step": "searching"}, transient=True)
        return response

    site.view = view
    with site.ask() as client:
        client.until(b"searching")
        writers[0].data("sources", ["a"], id="s")
        client.until(b'"id":"s"')
        server.release()
        types = [part if part == "[DONE]" else part["type"] for part in parts(client.rest())]
    assert types == [
        "start",
        "start-step",
        "data-status",
        "data-sources",
        "text-start",
        "text-delta",
        "message-metadata",
        "text-end",
        "finish-step",
        "finish",
        "[DONE]",
    ]
    writers[0].data("late", 1)  # nobody is there to get it, and nothing happens


def test_a_stream_that_is_stopped_says_so(site, model, source, parts):
    """Whoever has the stream may close it, and the client hears of it."""
    server = model(["one", " two"], gate=True)
    streams = []

    def view():
        streams.append(site.stream(source(server)))
        return site.responses.UIMessageResponse(streams[0])

    site.view = view
    with site.ask() as client:
        server.release()
        client.until(b"one")
        if site.asynchronous:
            import asyncio

            asyncio.run(streams[0].aclose())
        else:
            streams[0].close()
        assert parts(client.rest())[-2:] == [{"type": "abort"}, "[DONE]"]
        assert client.complete
