"""Endpoints found by a model's id or an endpoint's name: Serverless and InferenceEndpoint."""

import asyncio
import threading
import traceback
from concurrent.futures import ThreadPoolExecutor

import pytest
import trio

import streamkit
from streamkit import (
    AuthenticationError,
    ConfigurationError,
    InferenceEndpoint,
    OverloadedError,
    RequestError,
    Serverless,
    SourceError,
)
from streamkit.testing import EmulatedEndpoint, Response

CANARY = "hf_CanaryThatMustNotSing0123456789"


class TestServerless:
    """The router of Inference Providers, played by an emulated provider."""

    @pytest.fixture
    def router(self, eos):
        """Return a function that starts a router which serves one name."""
        servers = []

        def router(model):
            server = EmulatedEndpoint(["Hello", eos], engine="openai", model=model, api_key=CANARY).start()
            servers.append(server)
            return server

        yield router
        for server in servers:
            server.stop()

    @pytest.mark.parametrize(
        ("provider", "name"),
        [("auto", "owner/model"), ("groq", "owner/model:groq"), ("cheapest", "owner/model:cheapest")],
    )
    def test_a_provider_is_a_suffix_of_the_model(self, drive, router, provider, name):
        """One request is made, and nothing is asked beforehand."""
        server = router(name)
        source = Serverless("owner/model", provider=provider, token=CANARY, router=server.url + "/v1")
        assert drive(source).text == "Hello"
        (seen,) = server.requests
        assert seen.path == "/v1/chat/completions"
        assert seen.body["model"] == name
        assert "X-HF-Bill-To" not in seen.headers

    def test_a_prompt_is_one_user_message(self, drive, router):
        """Providers serve conversations."""
        server = router("owner/model")
        drive(Serverless("owner/model", token=CANARY, router=server.url + "/v1"), "Who are you?")
        assert server.requests[0].body["messages"] == [{"role": "user", "content": "Who are you?"}]

    def test_a_conversation_is_sent_as_it_is(self, drive, router):
        """With all its turns."""
        server = router("owner/model")
        turns = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]
        drive(Serverless("owner/model", token=CANARY, router=server.url + "/v1"), turns)
        assert server.requests[0].body["messages"] == turns

    def test_who_pays_is_a_header(self, drive, router):
        """An organization, say."""
        server = router("owner/model")
        drive(Serverless("owner/model", token=CANARY, bill_to="acme", router=server.url + "/v1"))
        assert server.requests[0].headers["X-HF-Bill-To"] == "acme"

    def test_the_saved_token_goes_to_no_other_router(self, drive, router, monkeypatch):
        """It must be passed explicitly there."""
        monkeypatch.setattr("huggingface_hub.get_token", lambda: CANARY)
        server = router("owner/model")
        played = drive(Serverless("owner/model", router=server.url + "/v1"))
        assert type(played.error) is AuthenticationError
        assert "Authorization" not in server.requests[0].headers

    def test_a_header_is_no_way_to_smuggle(self, drive, router):
        """What cannot be a header is refused before anything is sent."""
        server = router("owner/model")
        played = drive(Serverless("owner/model", token=CANARY, bill_to="a\r\nX: b", router=server.url))
        assert isinstance(played.error, ConfigurationError)
        assert not server.requests


class HubApi:
    """A loopback stand-in for the API that knows Inference Endpoints by name.

    Args:
        states: What an endpoint is at each look; the last one stays.
        url: Where it runs.
    """

    def __init__(self, states, url):
        self.states = list(states)
        self.url = url

    def __call__(self, seen):
        """Answer a request."""
        if seen.path == "/endpoint/me/mine":
            state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        elif seen.path == "/endpoint/me/mine/resume":
            state = "initializing"
        else:
            echo = {"error": f"not found, {seen.headers.get('Authorization')}"}
            return Response.json(echo, 404, {"Connection": "close"})
        time = "2026-01-01T00:00:00.000Z"
        status = {"state": state, "createdAt": time, "updatedAt": time}
        model = {"repository": "a/b", "framework": "pytorch", "revision": None, "task": "text-generation"}
        raw = {"name": "mine", "model": model, "status": status, "type": "protected", "healthRoute": "/health"}
        if state == "running":
            status["url"] = self.url
        return Response.json(raw, 200, {"Connection": "close"})


@pytest.fixture
def api(hello, monkeypatch):
    """Return a function that starts the API; looks follow each other at once."""
    monkeypatch.setattr("streamkit.sources.inference_endpoint.POLL", 0.0)
    servers = []

    def api(*states):
        server = EmulatedEndpoint(respond=HubApi(states, hello.url)).start()
        servers.append(server)
        monkeypatch.setattr("huggingface_hub.constants.INFERENCE_ENDPOINTS_ENDPOINT", server.url)
        return server

    yield api
    for server in servers:
        server.stop()


def mine(**options):
    """Return the endpoint that the API knows."""
    return InferenceEndpoint("mine", namespace="me", token=CANARY, **options)


def routes(server):
    """Return what was asked of a server."""
    return [(seen.method, seen.path) for seen in server.requests]


class TestInferenceEndpoint:
    """An endpoint of one's own, by name."""

    def test_one_that_runs_is_looked_up_once(self, drive, api, hello):
        """The token that was passed goes to the API and to the endpoint."""
        server = api("running")
        first, second = drive.twice(mine())
        assert first.text == second.text == "Hello world</s>"
        assert routes(server) == [("GET", "/endpoint/me/mine")]
        assert routes(hello) == [("GET", "/v1/models"), ("POST", "/"), ("POST", "/")]
        assert {seen.headers["Authorization"] for seen in server.requests + hello.requests} == {f"Bearer {CANARY}"}

    def test_one_that_is_scaled_to_zero_is_woken_and_waited_for(self, drive, api):
        """Each look is told."""
        server = api("scaledToZero", "pending", "initializing", "running")
        lines = []
        played = drive(mine(wait=60, progress=lines.append))
        assert played.text == "Hello world</s>"
        assert [line.split(" (")[0] for line in lines] == [
            "Inference Endpoint mine is scaledToZero",
            "Inference Endpoint mine is pending",
            "Inference Endpoint mine is initializing",
        ]
        assert routes(server).count(("POST", "/endpoint/me/mine/resume")) == 1

    def test_without_a_wait_one_that_is_scaled_to_zero_is_not_woken(self, drive, api):
        """Waking costs money, and nobody would be there."""
        server = api("scaledToZero")
        played = drive(mine())
        assert type(played.error) is OverloadedError
        assert "wait=" in str(played.error)
        assert routes(server) == [("GET", "/endpoint/me/mine")]

    def test_the_wait_ends(self, drive, api):
        """With what it still was."""
        api("initializing")
        played = drive(mine(wait=0.05))
        assert type(played.error) is OverloadedError
        assert "is initializing after" in str(played.error)

    def test_a_stream_that_is_closed_meanwhile_waits_no_longer(self, drive, api, monkeypatch):
        """Its reader is woken, and looks no more."""
        server = api("initializing")
        monkeypatch.setattr("streamkit.sources.inference_endpoint.POLL", 60.0)
        looked = threading.Event()
        pipeline = streamkit.Pipeline(mine(wait=600, progress=lambda _: looked.set()))
        stream = pipeline.astream("Hi") if drive.asynchronous else pipeline.stream("Hi")
        loop = None

        def close():
            assert looked.wait(5)
            if loop is None:
                stream.close()
            else:
                asyncio.run_coroutine_threadsafe(stream.aclose(), loop).result()

        async def read():
            nonlocal loop
            loop = asyncio.get_running_loop()
            async with stream:
                return [text async for text in stream]

        with ThreadPoolExecutor(1) as pool:
            closing = pool.submit(close)
            assert (asyncio.run(read()) if drive.asynchronous else list(stream)) == []
            closing.result()
        assert routes(server) == [("GET", "/endpoint/me/mine")]
        assert (stream.result.outcome, stream.result.timings.total < 30) == ("aborted", True)

    def test_another_event_loop_is_refused(self, api):
        """The message says what to do instead, and nothing is looked up."""
        server = api("running")
        with pytest.raises(ConfigurationError, match="worker thread"):
            trio.run(streamkit.Pipeline(mine()).arun, "Hi")
        assert not server.requests

    @pytest.mark.parametrize("state", ["paused", "failed"])
    def test_one_that_does_not_start_by_itself_is_not_waited_for(self, drive, api, state):
        """The message says how to resume it."""
        api(state)
        played = drive(mine(wait=60))
        assert isinstance(played.error, SourceError)
        assert f"is {state}" in str(played.error)
        assert "hf endpoints resume mine" in str(played.error)

    def test_an_unknown_name_is_said_to_be(self, drive, api):
        """The token that the API echoes is in no message, and in no traceback."""
        api("running")
        played = drive(InferenceEndpoint("other", namespace="me", token=CANARY))
        assert type(played.error) is RequestError
        assert played.error.status == 404
        assert "'other': check the name" in str(played.error)
        shown = traceback.TracebackException.from_exception(played.error, capture_locals=True)
        assert CANARY[:8] not in "".join(shown.format())

    def test_an_api_that_is_not_there_is_a_failure_of_the_source(self, drive, monkeypatch):
        """Whatever the hub's client raises, with no token in sight."""
        monkeypatch.setattr("huggingface_hub.constants.INFERENCE_ENDPOINTS_ENDPOINT", "http://127.0.0.1:1")
        played = drive(mine())
        assert isinstance(played.error, SourceError)
        assert "'mine' cannot be looked up" in str(played.error)
        shown = traceback.TracebackException.from_exception(played.error, capture_locals=True)
        assert CANARY[:8] not in "".join(shown.format())

    def test_the_loop_is_free_while_an_endpoint_is_looked_up(self, api):
        """The hub's client blocks, in a thread."""
        api("running")

        async def ask():
            beats = 0

            async def beat():
                nonlocal beats
                while True:
                    await asyncio.sleep(0)
                    beats += 1

            task = asyncio.create_task(beat())
            async with streamkit.Pipeline(mine()).astream("Hi") as stream:
                await anext(aiter(stream))
            task.cancel()
            return beats

        assert asyncio.run(ask()) > 10
