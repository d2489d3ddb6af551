"""`ask`: one body for both transports, which also holds each run to one end, a prefix of the text, and no leak."""

from __future__ import annotations

import asyncio
import time

import attrs
import pytest

from streamkit import Endpoint, Pipeline, SkipSpecialTokens, StreamkitError, Timeouts
from streamkit.testing import EmulatedEndpoint, NoLeaks, ScriptedToken

EOS = ScriptedToken("</s>", special=True)
WORDS = ["one", " two", " three", " four", " five"]
PATIENT = Timeouts(connect=10, first_token=10, between_tokens=10, total=20)
APIS = {"tgi": "tgi", "chat": "vllm", "completions": "vllm", "ollama": "ollama"}
"""How to ask, and the engine that answers."""


@attrs.frozen(kw_only=True)
class Outcome:
    """What a run came to."""

    text: str
    error: Exception | None
    result: object
    finals: list
    retries: list
    seconds: float


class Asker:
    """Asks, and holds what came of it to the promises of every run."""

    def __init__(self, *, asynchronous):
        self.asynchronous = asynchronous

    def __call__(self, source, *parts, question="Hi", body=None, callbacks=(), truth=None):
        """Run a source to its end; `body` is called with each piece, and a true answer is a `break`."""
        finals, retries, started = [], [], time.monotonic()
        watch = {
            "on_final": lambda result: finals.append(result),  # noqa: PLW0108 - hooks are called by their names
            "on_retry": lambda attempt: retries.append(attempt),  # noqa: PLW0108 - of arguments
        }
        pipeline = Pipeline(source, transforms=(SkipSpecialTokens(),))
        pipeline = (pipeline | parts).evolve(callbacks=(*callbacks, watch))
        pieces = []
        with NoLeaks():
            if self.asynchronous:
                stream, error = asyncio.run(self._arun(pipeline, question, body, pieces))
            else:
                stream, error = self._run(pipeline, question, body, pieces)
        text, result = "".join(pieces), stream.result
        assert finals in ([], [result]), "one run has one end"
        assert text == result.text or body is not None or parts or callbacks
        assert result.text.startswith(text)
        if truth is not None:
            assert truth.startswith(result.text), "the partial text is a prefix of the whole"
        if isinstance(error, StreamkitError):
            assert error.result is result
            assert result.error is error
        assert (result.outcome == "completed") == (error is None and body is None) or body is not None
        return Outcome(
            text=text,
            error=error,
            result=result,
            finals=finals,
            retries=retries,
            seconds=time.monotonic() - started,
        )

    def _run(self, pipeline, question, body, pieces):
        stream = pipeline.stream(question)
        try:
            with stream:
                for piece in stream:
                    pieces.append(piece)
                    if body and body(piece):
                        break
        except Exception as error:  # noqa: BLE001 - the test asks what it was
            return stream, error
        return stream, None

    async def _arun(self, pipeline, question, body, pieces):
        async with NoLeaks():
            stream = pipeline.astream(question)
            try:
                async with stream:
                    async for piece in stream:
                        pieces.append(piece)
                        if body and body(piece):
                            break
            except Exception as error:  # noqa: BLE001 - the test asks what it was
                return stream, error
            return stream, None


@pytest.fixture(params=[False, True], ids=["sync", "async"])
def ask(request):
    """Each transport in turn."""
    return Asker(asynchronous=request.param)


@pytest.fixture(params=list(APIS))
def api(request):
    """Each dialect in turn."""
    return request.param


@pytest.fixture
def play():
    """Return a function that starts a server with faults and gives it with an endpoint that asks it."""
    started = []

    def play(*faults, api="tgi", script=(*WORDS, EOS), timeouts=PATIENT, **options):
        server = EmulatedEndpoint(list(script), engine=APIS[api], faults=faults, **options).start()
        started.append(server)
        return server, Endpoint(server.url, api=api, model="emulated/tiny", token=False, timeouts=timeouts)

    yield play
    for server in started:
        server.stop()
