"""huggingface_hub and openai for Python where they leave or the answer breaks; `tests/web/gateway` has the rest."""

from __future__ import annotations

import os

os.environ |= {"DO_NOT_TRACK": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}  # read by huggingface_hub when it is imported

import asyncio

import huggingface_hub
import openai
import pytest

from streamkit.testing import EmulatedEndpoint
from streamkit.testing.faults import cut_after

QUESTION = [{"role": "user", "content": "How do I see Lisbon?"}]


def _hub_text(url):
    with huggingface_hub.InferenceClient(url, token="hf_none") as client:
        yield from client.text_generation("Lisbon?", stream=True)


def _hub_chat(url):
    with huggingface_hub.InferenceClient(url, token="hf_none") as client:
        for chunk in client.chat_completion(QUESTION, stream=True):
            yield chunk.choices[0].delta.content or ""


def _openai_chat(url):
    with (
        openai.OpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0) as client,
        client.chat.completions.create(model="travel", messages=QUESTION, stream=True) as stream,
    ):
        for chunk in stream:
            yield chunk.choices[0].delta.content or ""


def _openai_completions(url):
    with (
        openai.OpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0) as client,
        client.completions.create(model="travel", prompt="Lisbon?", stream=True) as stream,
    ):
        for chunk in stream:
            yield chunk.choices[0].text


async def _async_hub_text(url):
    async with huggingface_hub.AsyncInferenceClient(url, token="hf_none") as client:
        async for piece in await client.text_generation("Lisbon?", stream=True):
            yield piece


async def _async_hub_chat(url):
    async with huggingface_hub.AsyncInferenceClient(url, token="hf_none") as client:
        async for chunk in await client.chat_completion(QUESTION, stream=True):
            yield chunk.choices[0].delta.content or ""


async def _async_openai_chat(url):
    async with (
        openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0) as client,
        await client.chat.completions.create(model="travel", messages=QUESTION, stream=True) as stream,
    ):
        async for chunk in stream:
            yield chunk.choices[0].delta.content or ""


SYNC = [_hub_text, _hub_chat, _openai_chat, _openai_completions]
ASYNC = [_async_hub_text, _async_hub_chat, _async_openai_chat]


@pytest.mark.parametrize("client", SYNC)
def test_client_that_leaves(open_site, gated, client):
    """A loop that is left in the middle ends the answer at the model within a second."""
    with open_site(gated) as site:
        gated.release(2)
        pieces = client(site.url)
        assert next(piece for piece in pieces if piece) == "word "
        pieces.close()
        seen = gated.wait_for_request()
        assert seen.client_left.wait(1)


@pytest.mark.parametrize("client", ASYNC)
async def test_async_client_that_leaves(open_site, gated, client):
    """An asynchronous loop that is cancelled before its first token ends it, too."""
    with open_site(gated) as site:
        waiting = asyncio.create_task(anext(client(site.url)))
        seen = await asyncio.to_thread(gated.wait_for_request)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert await asyncio.to_thread(seen.client_left.wait, 1)


@pytest.mark.parametrize("client", SYNC)
def test_answer_that_breaks(open_site, client):
    """A model that breaks in the middle is the client's own exception, behind the text so far."""
    with EmulatedEndpoint(["word "] * 9, faults=[cut_after(2, "rst")]) as model, open_site(model) as site:
        got = []
        with pytest.raises(Exception, match="The model's server failed") as raised:
            got.extend(client(site.url))
        assert type(raised.value).__module__.partition(".")[0] in {"huggingface_hub", "openai"}
    assert "".join(got) == "word word "


@pytest.mark.parametrize("client", ASYNC)
async def test_async_answer_that_breaks(open_site, client):
    """The asynchronous clients raise it, too."""
    with EmulatedEndpoint(["word "] * 9, faults=[cut_after(2, "rst")]) as model, open_site(model) as site:
        got = []

        async def read():
            async for piece in client(site.url):
                got.append(piece)  # noqa: PERF401 - what came before the exception is asked for

        with pytest.raises(Exception, match="The model's server failed"):
            await read()
    assert "".join(got) == "word word "
