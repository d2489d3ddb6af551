"""The emulator as Hugging Face's own client sees it."""

import pytest

from streamkit.testing import EmulatedEndpoint, ScriptedToken

SCRIPT = ["Hello", " world", ScriptedToken("</s>", special=True)]
QUESTION = [{"role": "user", "content": "Hi"}]


@pytest.fixture
def client():
    """Return a function that makes a synchronous client of a server."""
    from huggingface_hub import InferenceClient

    clients = []

    def connect(server):
        clients.append(InferenceClient(model=server.url, token="hf_emulated", timeout=5))
        return clients[-1]

    yield connect
    for each in clients:
        each.exit_stack.close()


def test_text_generation_with_details(client):
    """The last event brings the finish reason and the whole text, with the prompt: the client asks on `/`."""
    with EmulatedEndpoint(SCRIPT) as server:
        events = list(client(server).text_generation("Hi", stream=True, details=True, max_new_tokens=5, stop=["x"]))
    assert [event.token.text for event in events] == ["Hello", " world", "</s>"]
    assert [event.token.special for event in events] == [False, False, True]
    assert events[-1].details.finish_reason == "eos_token"
    assert events[-1].generated_text == "HiHello world"


def test_text_generation_without_streaming(client):
    """The list that `/` answers with is unpacked."""
    with EmulatedEndpoint(SCRIPT) as server:
        assert client(server).text_generation("Hi", return_full_text=False) == "Hello world"


def test_an_error_in_the_stream(client):
    """It is raised as the client's own kind of validation error."""
    from huggingface_hub.errors import ValidationError

    with EmulatedEndpoint(SCRIPT) as server, pytest.raises(ValidationError, match="strictly positive"):
        list(client(server).text_generation("Hi", stream=True, temperature=-1.0))


def test_chat_completion(client):
    """Chunks, usage and finish reason are understood."""
    with EmulatedEndpoint(SCRIPT) as server:
        chunks = list(client(server).chat_completion(QUESTION, stream=True, stream_options={"include_usage": True}))
    assert "".join(chunk.choices[0].delta.content for chunk in chunks if chunk.choices) == "Hello world"
    assert chunks[-2].choices[0].finish_reason == "stop"
    assert chunks[-1].usage.completion_tokens == 3


def test_chat_completion_of_vllm_needs_the_models_name(client):
    """The client sends a placeholder otherwise, and vLLM does not know it."""
    from huggingface_hub.errors import HfHubHTTPError

    with EmulatedEndpoint(SCRIPT, engine="vllm") as server:
        with pytest.raises(HfHubHTTPError, match="404"):
            client(server).chat_completion(QUESTION, stream=True)
        chunks = list(client(server).chat_completion(QUESTION, stream=True, extra_body={"model": "emulated/tiny"}))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "Hello world"


async def test_the_asynchronous_client():
    """It reads both dialects alike."""
    from huggingface_hub import AsyncInferenceClient

    async with (
        EmulatedEndpoint(SCRIPT) as server,
        AsyncInferenceClient(model=server.url, token="hf_emulated", timeout=5) as client,
    ):
        stream = await client.text_generation("Hi", stream=True, details=True)
        assert [event.token.text async for event in stream] == ["Hello", " world", "</s>"]
        stream = await client.chat_completion(QUESTION, stream=True)
        assert "".join([chunk.choices[0].delta.content async for chunk in stream]) == "Hello world"
