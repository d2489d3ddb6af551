"""Streams that another client reads: huggingface_hub's own, in both colours, against the emulated endpoint."""

import asyncio
from contextlib import asynccontextmanager, contextmanager

import pytest

from streamkit import GenerationError, Pipeline, StopSequences, TruncatedStreamError, from_iterable
from streamkit.testing import EmulatedEndpoint, Response, ScriptedToken

SCRIPT = ["Hello", " wor", "ld!", ScriptedToken("</s>", special=True)]
CHAT = [{"role": "user", "content": "Hi"}]


def generate(client, *, details=True):
    """Ask for a continuation."""
    return client.text_generation("Hi", stream=True, details=details, max_new_tokens=9, return_full_text=False)


def chat(client):
    """Ask for an answer."""
    return client.chat_completion(CHAT, stream=True, max_tokens=9)


class SyncHub:
    """huggingface_hub's synchronous client."""

    def __call__(self, server, ask, *transforms):
        """Read what it yields; return the stream and the error it ended with."""
        with self._client(server) as client:
            stream = (from_iterable(ask(client)) | transforms).stream("Hi")
            try:
                with stream:
                    for _ in stream:
                        pass
            except Exception as error:  # noqa: BLE001 - the test asks what it was
                return stream, error
        return stream, None

    @contextmanager
    def _client(self, server):
        from huggingface_hub import InferenceClient
        from huggingface_hub.utils import close_session

        with InferenceClient(server.url, token="hf_x") as client:
            yield client
        close_session()


class AsyncHub:
    """huggingface_hub's asynchronous client."""

    def __call__(self, server, ask, *transforms):
        """Read what it yields; return the stream and the error it ended with."""
        return asyncio.run(self._ask(server, ask, transforms))

    async def _ask(self, server, ask, transforms):
        async with self._client(server) as client:
            stream = (from_iterable(await ask(client)) | transforms).astream("Hi")
            try:
                async with stream:
                    async for _ in stream:
                        pass
            except Exception as error:  # noqa: BLE001 - the test asks what it was
                return stream, error
        return stream, None

    @asynccontextmanager
    async def _client(self, server):
        from huggingface_hub import AsyncInferenceClient

        async with AsyncInferenceClient(server.url, token="hf_x") as client:
            yield client


@pytest.fixture(params=[SyncHub(), AsyncHub()], ids=["sync", "async"])
def hub(request):
    """Each of the hub's clients, read by the driver of its colour."""
    return request.param


class TestAnswers:
    """What a complete answer becomes."""

    def test_a_generation_with_details_has_all_that_tgi_says(self, hub):
        """Specials, ids, the reason and the usage."""
        with EmulatedEndpoint(SCRIPT) as server:
            stream, error = hub(server, generate)
        assert error is None
        result = stream.result
        assert (result.text, result.outcome, result.finish_reason) == ("Hello world!</s>", "completed", "eos_token")
        assert result.usage.completion_tokens == 4
        assert result.reconciled is True

    def test_a_generation_without_details_is_text(self, hub):
        """Special tokens are text like another there, and nobody says why it ended."""
        with EmulatedEndpoint(SCRIPT) as server:
            stream, error = hub(server, lambda client: generate(client, details=False))
        assert error is None
        assert (stream.result.text, stream.result.outcome) == ("Hello world!</s>", "completed")
        assert stream.result.finish_reason is None

    @pytest.mark.parametrize("engine", ["tgi", "openai", "vllm"])
    def test_a_chat_has_its_reason(self, hub, engine):
        """In the normalised word."""
        with EmulatedEndpoint(SCRIPT, engine=engine, model="dummy") as server:
            stream, error = hub(server, chat)
        assert error is None
        assert (stream.result.text, stream.result.finish_reason) == ("Hello world!", "eos_token")

    def test_a_stop_is_cut_and_the_connection_closed(self, hub):
        """The client's generator is closed, which closes its connection."""
        with EmulatedEndpoint(["Hello", " STOP", *["x"] * 2000], pace=0.002) as server:
            stream, error = hub(server, generate_long, StopSequences(" STOP"))
            assert server.requests[0].client_left.wait(5)
        assert error is None
        assert (stream.result.text, stream.result.stop) == ("Hello", " STOP")


def generate_long(client):
    """Ask for more than is read."""
    return client.text_generation("Hi", stream=True, details=True, max_new_tokens=2000)


class TestTruncation:
    """The hub's client ends silently where a stream was cut; here it is truncated."""

    TGI = b'data: {"index":1,"token":{"id":1,"text":"Hello","logprob":0.0,"special":false}}\n\n'
    CHAT = b'data: {"choices":[{"index":0,"delta":{"content":"Hello"}}]}\n\n'

    @pytest.mark.parametrize(("ask", "body"), [(generate, TGI), (chat, CHAT)], ids=["generate", "chat"])
    def test_by_a_clean_end(self, hub, ask, body):
        """The text so far is kept."""
        with EmulatedEndpoint(respond=Response(body=body, content_type="text/event-stream")) as server:
            stream, error = hub(server, ask)
        assert type(error) is TruncatedStreamError
        assert (error.result.text, stream.result.outcome) == ("Hello", "failed")

    @pytest.mark.parametrize("ask", [generate, chat], ids=["generate", "chat"])
    def test_an_error_inside_a_stream_is_not_taken_for_an_end(self, hub, ask):
        """The client raises what it makes of it, and the run has failed."""
        body = (self.TGI if ask is generate else self.CHAT) + b'data: {"error":"no","error_type":"generation"}\n\n'
        with EmulatedEndpoint(respond=Response(body=body, content_type="text/event-stream")) as server:
            stream, error = hub(server, ask)
        assert error is not None
        assert not isinstance(error, GenerationError)  # the hub's own, as it is
        assert (stream.result.text, stream.result.outcome) == ("Hello", "failed")


def test_a_break_closes_the_synchronous_client():
    """Its generator is closed at once, not when it is collected."""
    with EmulatedEndpoint(["x"] * 2000, pace=0.002) as server:
        from huggingface_hub import InferenceClient

        client = InferenceClient(server.url, token="hf_x")  # its stream ends with it
        with Pipeline(from_iterable(generate_long(client))).stream("Hi") as stream:
            next(iter(stream))
        assert server.requests[0].client_left.wait(5)
    assert stream.result.outcome == "aborted"


def test_both_clients_can_be_read_by_the_asynchronous_driver():
    """A synchronous iterator blocks the loop, but works."""
    with EmulatedEndpoint(SCRIPT) as server:
        from huggingface_hub import InferenceClient

        client = InferenceClient(server.url, token="hf_x")  # its stream ends with it
        result = asyncio.run(Pipeline(from_iterable(generate(client))).arun("Hi"))
    assert result.text == "Hello world!</s>"
