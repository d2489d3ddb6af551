"""What real clients get: huggingface_hub and openai, synchronous and asynchronous."""

from __future__ import annotations

import openai
import pytest
from huggingface_hub import AsyncInferenceClient, InferenceClient

ANSWER = "Take tram 28."
QUESTION = [{"role": "user", "content": "How do I see Lisbon?"}]


@pytest.fixture
def hub(gateway):
    """huggingface_hub's client of a URL."""
    return InferenceClient(gateway.url, token="hf_none")


@pytest.fixture
def client(gateway):
    """The client of the openai package."""
    with openai.OpenAI(base_url=f"{gateway.url}/v1", api_key="none", max_retries=0) as client:
        yield client


def test_hub_streams_text(hub, model):
    """text_generation gets the tokens of the answer, and its parameters reach the model."""
    pieces = list(hub.text_generation("Lisbon?", stream=True, max_new_tokens=20, temperature=0.5, seed=0))
    assert "".join(pieces) == ANSWER
    asked = model.requests[-1].body["parameters"]
    assert {name: asked[name] for name in ("max_new_tokens", "temperature", "seed")} == {
        "max_new_tokens": 20,
        "temperature": 0.5,
        "seed": 0,
    }


def test_hub_streams_details(hub):
    """With details the last event says how the answer ended."""
    events = list(hub.text_generation("Lisbon?", stream=True, details=True))
    assert "".join(event.token.text for event in events if not event.token.special) == ANSWER
    assert events[-1].generated_text == ANSWER
    assert events[-1].details.finish_reason == "eos_token"
    assert events[-1].details.generated_tokens == 4


def test_hub_gets_whole_text_after_prompt(hub):
    """Without streaming, the root route gives the prompt back too, as TGI's does, unless it is told not to."""
    assert hub.text_generation("Lisbon?") == f"Lisbon?{ANSWER}"
    assert hub.text_generation("Lisbon?", return_full_text=False) == ANSWER


def test_hub_gets_whole_details(hub):
    """Details of a whole answer list its tokens."""
    output = hub.text_generation("Lisbon?", details=True, return_full_text=False)
    assert output.generated_text == ANSWER
    assert "".join(token.text for token in output.details.tokens) == ANSWER
    assert output.details.finish_reason == "eos_token"


def test_hub_chats(hub):
    """chat_completion gets a message and the usage."""
    output = hub.chat_completion(QUESTION, max_tokens=20)
    assert output.choices[0].message.content == ANSWER
    assert output.choices[0].finish_reason == "stop"
    assert output.usage.total_tokens == output.usage.prompt_tokens + output.usage.completion_tokens


def test_hub_streams_chat(hub):
    """A streamed chat gives the same text piece by piece."""
    chunks = list(hub.chat_completion(QUESTION, stream=True))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == ANSWER
    assert chunks[-1].choices[0].finish_reason == "stop"


async def test_async_hub_streams_both(gateway):
    """The asynchronous client gets the same."""
    async with AsyncInferenceClient(gateway.url, token="hf_none") as hub:
        pieces = [piece async for piece in await hub.text_generation("Lisbon?", stream=True)]
        chunks = [chunk async for chunk in await hub.chat_completion(QUESTION, stream=True)]
    assert "".join(pieces) == ANSWER
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == ANSWER


def test_hub_is_cut_at_stop(hub):
    """A stop sequence of one request is cut from its answer, wherever the tokens fall."""
    assert "".join(hub.text_generation("Lisbon?", stream=True, stop=["m 2"])) == "Take tra"


def test_openai_streams_chat_with_usage(client, model):
    """The helper that checks every chunk accepts the stream, and usage comes if asked for."""
    with client.chat.completions.stream(
        model="travel", messages=QUESTION, max_completion_tokens=9, stream_options={"include_usage": True}
    ) as stream:
        stream.until_done()
        completion = stream.get_final_completion()
    assert completion.choices[0].message.content == ANSWER
    assert completion.choices[0].finish_reason == "stop"
    assert completion.usage.completion_tokens == 4
    assert model.requests[-1].body["max_tokens"] == 9


def test_openai_gets_whole_chat(client):
    """Without streaming the answer is one document."""
    completion = client.chat.completions.create(model="travel", messages=QUESTION)
    assert completion.object == "chat.completion"
    assert completion.choices[0].message.content == ANSWER
    assert completion.usage.total_tokens == completion.usage.prompt_tokens + 4


def test_openai_completes(client):
    """Completions work, streamed and not, with a stop sequence that ends the answer."""
    whole = client.completions.create(model="travel", prompt="Lisbon?", stop=" 28", temperature=0)
    chunks = list(client.completions.create(model="travel", prompt=["Lisbon?"], stop=[" 28"], stream=True))
    assert whole.choices[0].text == "Take tram"
    assert whole.choices[0].finish_reason == "stop"
    assert "".join(chunk.choices[0].text for chunk in chunks) == "Take tram"


async def test_async_openai_streams_chat(gateway):
    """The asynchronous client gets the same."""
    async with openai.AsyncOpenAI(base_url=f"{gateway.url}/v1", api_key="none", max_retries=0) as client:
        stream = await client.chat.completions.create(model="travel", messages=QUESTION, stream=True)
        assert "".join([chunk.choices[0].delta.content or "" async for chunk in stream]) == ANSWER


def test_openai_lists_pipelines(client):
    """Each pipeline is a model."""
    assert [model.id for model in client.models.list()] == ["travel"]


def test_openai_raises_its_own_errors(client):
    """What is refused arrives as the client's own exception, with a sentence."""
    with pytest.raises(openai.NotFoundError, match="no model of this name"):
        client.chat.completions.create(model="unknown", messages=QUESTION)
    with pytest.raises(openai.BadRequestError, match="`n` other than 1"):
        client.chat.completions.create(model="travel", messages=QUESTION, n=2)
    with pytest.raises(openai.UnprocessableEntityError, match="messages"):
        client.chat.completions.create(model="travel", messages=[])
