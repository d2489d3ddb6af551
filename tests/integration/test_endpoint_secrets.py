"""A token goes where it was meant to go, and is seen nowhere else: every fault is made with a canary for a token."""

import logging
import pickle
import traceback

import attrs
import pytest

from streamkit import ConfigurationError, Endpoint, Pipeline, StreamkitError, Timeouts
from streamkit.request import Request
from streamkit.sources._calls import Call
from streamkit.testing import EmulatedEndpoint

CANARY = "hf_CanaryThatMustNotSing0123456789"
OK = b"HTTP/1.1 200 OK\r\n"
STREAM = OK + b"Content-Type: text/event-stream\r\n\r\n"
JSON = OK + b"Content-Type: application/json\r\n"
TOKEN = b'data: {"index":1,"token":{"id":1,"text":"one","logprob":0.0,"special":false}}\n\n'
ECHO = CANARY.encode()
PAD = b"x" * 280  # a message is cut after 300 characters: in the middle of the token

FAULTS = {
    "hangs up": b"",
    "not HTTP": ECHO + b"\r\n\r\n",
    "400": b"HTTP/1.1 400 No\r\n\r\nBad token: Bearer " + ECHO,
    "401": b'HTTP/1.1 401 No\r\n\r\n{"error":"' + ECHO + b' is not a token"}',
    "401 cut": b'HTTP/1.1 401 No\r\n\r\n{"error":"' + PAD + ECHO + b' is not a token"}',
    "401 list": b'HTTP/1.1 401 No\r\n\r\n{"error":["' + ECHO + b'"]}',
    "403": b"HTTP/1.1 403 " + ECHO + b"\r\nX-Echo: " + ECHO + b"\r\n\r\n" + ECHO,
    "404": b"HTTP/1.1 404 No\r\n\r\n" + ECHO,
    "422": b"HTTP/1.1 422 No\r\nContent-Length: 999\r\n\r\n" + ECHO,
    "429": b"HTTP/1.1 429 No\r\nRetry-After: " + ECHO + b"\r\n\r\n" + ECHO,
    "500": b"HTTP/1.1 500 No\r\nTransfer-Encoding: chunked\r\n\r\n22\r\n" + ECHO + b"\r\n",
    "503": b"HTTP/1.1 503 No\r\n\r\n<html>" + ECHO,
    "redirect": b"HTTP/1.1 307 No\r\nLocation: https://x/" + ECHO + b"\r\n\r\n" + ECHO,
    "web page": OK + b"Content-Type: text/html\r\nX-Echo: " + ECHO + b"\r\n\r\n<html>" + ECHO,
    "JSON error": JSON + b'\r\n{"error":"' + ECHO + b'"}',
    "JSON neither": JSON + b'\r\n{"what":"' + ECHO + b'"}',
    "JSON neither, cut": JSON + b'\r\n{"' + b"x" * 60 + ECHO + b'":1}',
    "no JSON": JSON + b"\r\n" + ECHO,
    "half JSON": JSON + b'Content-Length: 999\r\n\r\n{"error":"' + ECHO,
    "stream error": STREAM + TOKEN + b'data: {"error":"' + ECHO + b'","error_type":"generation"}\n\n',
    "stream error, kind": STREAM + TOKEN + b'data: {"error":"no","error_type":"' + ECHO + b'"}\n\n',
    "stream error, nested": STREAM + TOKEN + b'data: {"error":{"message":"' + ECHO + b'"}}\n\n',
    "stream error, named": STREAM + TOKEN + b"event: error\ndata: " + ECHO + b"\n\n",
    "unreadable event": STREAM + TOKEN + b"data: {" + ECHO + b"}\n\n",
    "unreadable event, cut": STREAM + TOKEN + b"data: {" + b"x" * 60 + ECHO + b"}\n\n",
    "foreign events": STREAM + b'data: {"what":"' + ECHO + b'"}\n\n',
    "truncated": STREAM + TOKEN + b'data: {"' + ECHO,
    "truncated chunk": OK + b"Transfer-Encoding: chunked\r\n\r\n999\r\ndata: " + ECHO,
    "bad chunk": OK + b"Transfer-Encoding: chunked\r\n\r\n" + ECHO + b"\r\n",
    "bad header": OK + b"Content-Length: " + ECHO + b"\r\n\r\n",
    "endless event": STREAM + b"data: " + ECHO * 40_000,
}
STUCK = {
    "no headers": b"",
    "half headers": OK + b"X-Echo: " + ECHO,
    "no token": STREAM + b": " + ECHO,
    "no further token": STREAM + TOKEN + b"data: " + ECHO,
    "no further chunk": OK + b"Transfer-Encoding: chunked\r\n\r\n999\r\n" + TOKEN + b"data: " + ECHO,
    "half JSON": JSON + b'Content-Length: 999\r\n\r\n{"error":"' + ECHO,
}


def everything_said(error):
    """Return all that a report of an error might show, local variables included."""
    shown = traceback.TracebackException.from_exception(error, capture_locals=True, compact=True)
    result = getattr(error, "result", None)
    return "".join([*shown.format(), repr(error), str(error), repr(error.args), repr(vars(error)), repr(result)])


HEADERS = {
    "headers=": {"authorization": f"Bearer {CANARY}"},
    "lower case": {"Authorization": f"bearer {CANARY}"},
    "Basic": {"Authorization": f"Basic {CANARY}"},
    "key": {"X-Api-Key": CANARY},
}


@pytest.fixture(params=["token=", *HEADERS])
def endpoint(request):
    """Return a function that makes an endpoint with the canary, passed in each way."""

    def endpoint(url, **options):
        if request.param == "token=":
            return Endpoint(url, token=CANARY, **options)
        return Endpoint(url, headers=HEADERS[request.param], **options)

    return endpoint


class TestErrors:
    """No error shows the token, even if the server echoes it."""

    @pytest.mark.parametrize("api", ["tgi", "auto"])
    @pytest.mark.parametrize("fault", list(FAULTS))
    def test_of_a_server_that_fails(self, drive, serve, endpoint, caplog, *, fault, api):
        """Neither messages nor tracebacks nor logs, not where the server is asked what it is either."""
        caplog.set_level(logging.DEBUG)
        server = serve(lambda connection, _: connection.sendall(FAULTS[fault]))
        played = drive(endpoint(server.url, api=api))
        assert ECHO in server.requests[0]
        assert isinstance(played.error, StreamkitError)
        assert not isinstance(played.error, ConfigurationError)
        assert CANARY[:8] not in everything_said(played.error) + caplog.text

    @pytest.mark.parametrize("fault", list(STUCK))
    def test_of_a_server_that_is_stuck(self, drive, serve, endpoint, fault):
        """The transport's frames hold the headers."""

        def handle(connection, _request):
            connection.sendall(STUCK[fault])
            assert connection.recv(1) == b""

        timeouts = Timeouts(first_token=0.15, between_tokens=0.15)
        played = drive(endpoint(serve(handle).url, api="tgi", timeouts=timeouts))
        assert isinstance(played.error, StreamkitError)
        assert CANARY[:8] not in everything_said(played.error)

    @pytest.mark.parametrize("url", ["http://127.0.0.1:1", "https://nonexistent.invalid", "http://nonexistent.invalid"])
    def test_of_a_server_that_is_not_there(self, drive, endpoint, url):
        """And not over plain http to another host, which is refused."""
        played = drive(endpoint(url, api="tgi"))
        assert isinstance(played.error, StreamkitError)
        assert CANARY[:8] not in everything_said(played.error)

    def test_of_a_request_that_cannot_be_put(self, drive, endpoint, hello):
        """The caller's mistakes are reported, too."""
        played = drive(endpoint(hello.url, api="tgi"), adapter_id=object())
        assert isinstance(played.error, ConfigurationError)
        assert CANARY[:8] not in everything_said(played.error)


class TestResults:
    """No result shows the token either, except as text that the model wrote."""

    def test_of_an_odd_finish_reason(self, drive, serve, endpoint):
        """The engine's own word is kept as it came, but for the token."""
        chunk = b'{"id":"1","choices":[{"index":0,"delta":{"content":"a"},"finish_reason":"bad ' + ECHO + b'"}]}'
        server = serve(lambda connection, _: connection.sendall(STREAM + b"data: " + chunk + b"\n\ndata: [DONE]\n\n"))
        played = drive(endpoint(server.url, api="chat", model="m"))
        assert (played.text, played.result.raw_reason) == ("a", "bad ***")

    def test_of_a_whole_answer(self, drive, serve, endpoint):
        """One that is no stream has a reason, too."""
        body = b'{"choices":[{"message":{"content":"a"},"finish_reason":"bad ' + ECHO + b'"}]}'
        server = serve(lambda connection, _: connection.sendall(JSON + b"\r\n" + body))
        played = drive(endpoint(server.url, api="chat", model="m"))
        assert (played.text, played.result.raw_reason) == ("a", "bad ***")


class TestValues:
    """No value shows the token."""

    def test_an_endpoint_shows_no_token(self, endpoint):
        """Nor does a pipeline made of it, or what attrs makes of both."""
        source = endpoint("https://example.com/v1")
        for value in (source, Pipeline(source), attrs.asdict(source), attrs.asdict(Pipeline(source)), vars_of(source)):
            assert CANARY[:8] not in repr(value) + str(value)

    def test_an_endpoint_does_not_show_the_query_of_its_url(self):
        """Some gateways want a key there."""
        source = Endpoint(f"https://example.com/v1?key={CANARY}")
        assert "'https://example.com/v1?***'" in repr(source)
        assert CANARY[:8] not in repr(source)

    def test_a_call_shows_no_token(self):
        """It is in the local variables of both transports."""
        source = Endpoint("https://example.com/v1", token=CANARY)
        call = source._probe(Request(prompt="Hi"), "/models")
        assert call.secrets() == [CANARY]
        assert isinstance(call, Call)
        for value in (call, attrs.asdict(call), call.headers, call.secrets()):
            assert CANARY[:8] not in repr(value)

    def test_an_endpoint_with_a_token_is_not_pickled(self):
        """Nor one with a header that may be a key; one without is."""
        for options in ({"token": CANARY}, *({"headers": headers} for headers in HEADERS.values())):
            with pytest.raises(ConfigurationError, match="not pickled"):
                pickle.dumps(Endpoint("https://example.com", **options))
        source = Endpoint("https://example.com", headers={"X-Scale-Up-Timeout": "600"})
        assert pickle.loads(pickle.dumps(source)) == source  # noqa: S301 - our own bytes


def vars_of(value):
    """Return the fields of a slotted object."""
    return {field.name: getattr(value, field.name) for field in attrs.fields(type(value))}


class TestDestinations:
    """Where a token goes, and where it does not."""

    @pytest.fixture(autouse=True)
    def _saved(self, monkeypatch):
        monkeypatch.setattr("huggingface_hub.get_token", lambda: CANARY)

    def test_the_saved_token_does_not_go_to_this_machine(self, drive, hello):
        """Whatever listens here is not Hugging Face."""
        for host in ("127.0.0.1", "localhost"):
            drive(Endpoint(hello.url.replace("127.0.0.1", host)))
        assert len(hello.requests) == 4
        assert not any("Authorization" in seen.headers for seen in hello.requests)

    @pytest.mark.parametrize("url", ["http://streamkit.invalid/v1", "http://huggingface.co.invalid/v1"])
    def test_the_saved_token_goes_to_no_other_host(self, drive, serve, monkeypatch, url):
        """Seen from a proxy that all traffic takes."""
        server = serve(lambda connection, _: connection.sendall(b"HTTP/1.1 404 No\r\n\r\n"))
        monkeypatch.setenv("http_proxy", server.url)
        drive(Endpoint(url))
        assert len(server.requests) == 2
        assert not any(ECHO in request for request in server.requests)

    def test_a_token_that_is_passed_goes_to_this_machine(self, drive, eos):
        """The probe bears it, and so does the question."""
        with EmulatedEndpoint(["one", eos], engine="vllm", api_key=CANARY) as server:
            assert drive(Endpoint(server.url, token=CANARY)).text == "one"
            assert [seen.headers["Authorization"] for seen in server.requests] == [f"Bearer {CANARY}"] * 2

    def test_token_false_sends_none(self, drive, hello):
        """Not even the saved one."""
        drive(Endpoint(hello.url, token=False))
        assert not any("Authorization" in seen.headers for seen in hello.requests)

    @pytest.mark.parametrize("options", [{"token": CANARY}, {"headers": HEADERS["headers="]}])
    def test_a_token_that_is_passed_crosses_no_network_in_the_clear(self, drive, serve, monkeypatch, options):
        """It is refused before anything is sent."""
        server = serve(lambda connection, _: connection.sendall(b"HTTP/1.1 404 No\r\n\r\n"))
        monkeypatch.setenv("http_proxy", server.url)
        played = drive(Endpoint("http://streamkit.invalid/v1", **options))
        assert isinstance(played.error, ConfigurationError)
        assert "in the clear" in str(played.error)
        assert not server.requests

    def test_the_callers_own_header_replaces_ours(self, drive, hello):
        """However its name is written, it is sent once."""
        headers = {"authorization": "Basic abc", "user-agent": "mine"}
        drive(Endpoint(hello.url, api="tgi", token=CANARY, headers=headers))
        (seen,) = hello.requests
        assert seen.headers.getall("Authorization") == ["Basic abc"]
        assert seen.headers.getall("User-Agent") == ["mine"]
