"""The span of a run: its name, its kind, and exactly its attributes."""

from __future__ import annotations

import json

import pytest
from opentelemetry.semconv._incubating.attributes import error_attributes, gen_ai_attributes, server_attributes
from opentelemetry.trace import SpanKind, StatusCode
from streamkit import Finish, OverloadedError, StopSequences, Token, ToolCallDelta

TARGET = {
    "gen_ai.operation.name": "text_completion",
    "gen_ai.provider.name": "huggingface",
    "gen_ai.request.model": "owner/name",
    "server.address": "my-endpoint.example",
    "server.port": 443,
}
ANSWERED = {
    "gen_ai.response.finish_reasons": ("eos_token",),
    "gen_ai.usage.input_tokens": 9,
    "gen_ai.usage.output_tokens": 3,
}


def _without_times(attributes):
    rest = dict(attributes)
    assert 0 <= rest.pop("gen_ai.response.time_to_first_chunk") < 10
    return rest


async def test_a_completed_run_has_exactly_these_attributes(run, observed):
    """Target, request and response are told by the names of the conventions, and no content."""
    pipeline = observed.pipeline() | StopSequences("\nUser:")
    await run(
        pipeline, "Hi", max_new_tokens=5, temperature=0.5, top_p=0.9, top_k=40, seed=7,
        frequency_penalty=0.1, presence_penalty=0.2, response_format={"type": "json_object"},
    )  # fmt: skip
    span = observed.span
    assert span.name == "text_completion owner/name"
    assert span.kind is SpanKind.CLIENT
    assert span.status.status_code is StatusCode.UNSET
    assert not span.events
    assert _without_times(span.attributes) == TARGET | ANSWERED | {
        "gen_ai.request.stream": True,
        "gen_ai.request.max_tokens": 5,
        "gen_ai.request.temperature": 0.5,
        "gen_ai.request.top_p": 0.9,
        "gen_ai.request.top_k": 40,
        "gen_ai.request.seed": 7,
        "gen_ai.request.frequency_penalty": 0.1,
        "gen_ai.request.presence_penalty": 0.2,
        "gen_ai.request.stop_sequences": ("\nUser:",),
        "gen_ai.output.type": "json",
    }


async def test_a_conversation_is_a_chat(run, observed):
    """The operation is read off the request: messages are a chat, a prompt is a text completion."""
    await run(observed.pipeline(), [{"role": "user", "content": "Hi"}])
    assert observed.span.name == "chat owner/name"
    assert observed.span.attributes["gen_ai.operation.name"] == "chat"


async def test_what_the_source_does_not_say_is_left_out(run, observed):
    """Without a model and a URL the span has the operation's name, and no attribute is guessed."""
    await run(observed.pipeline(Token("a"), Finish(), model=None, url=None), "Hi")
    assert observed.span.name == "text_completion"
    assert _without_times(observed.span.attributes) == {
        "gen_ai.operation.name": "text_completion",
        "gen_ai.provider.name": "huggingface",
        "gen_ai.request.stream": True,
    }


@pytest.mark.parametrize(
    ("url", "address"),
    [("http://localhost:8080", ("localhost", 8080)), ("http://a.example", ("a.example", 80)), ("/path", None)],
)
async def test_the_server_is_read_off_the_url(url, address, observed):
    """The port is that of the URL or of its scheme; user names and paths are not told."""
    observed.pipeline(url=url).run("Hi")
    attributes = observed.span.attributes
    assert (attributes.get("server.address"), attributes.get("server.port")) == (address or (None, None))


async def test_a_routed_provider_is_told(observed):
    """Of a source that goes through a router, the route's server and the chosen provider are told."""
    observed.pipeline(url=None, router="https://router.example/v1", provider="groq").run("Hi")
    assert observed.span.attributes["streamkit.provider"] == "groq"
    assert observed.span.attributes["server.address"] == "router.example"
    observed.exporter.clear()
    observed.pipeline(provider="auto").run("Hi")
    assert "streamkit.provider" not in observed.span.attributes


async def test_a_failed_run_has_an_error_and_no_message(run, observed):
    """The error's class is told; its message, which may quote the question, only where content is captured."""
    with pytest.raises(OverloadedError):
        await run(observed.pipeline(Token("a"), OverloadedError("you said Hi")), "Hi")
    span = observed.span
    assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, None)
    assert _without_times(span.attributes) == TARGET | {
        "gen_ai.request.stream": True,
        "error.type": "streamkit.errors.OverloadedError",
    }


async def test_content_is_captured_only_when_asked_for(run, observed):
    """Question and answer are JSON of roles and typed parts, and an error keeps its message."""
    call = ToolCallDelta(id="1", name="look", arguments="{}")
    events = [Token("Hm", channel="reasoning"), Token("Yes"), call, OverloadedError("you said Hi")]
    messages = [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": [{"type": "text", "text": "Hi"}, {"type": "image_url", "image_url": {}}]},
        {"role": "assistant", "content": None, "tool_calls": [{"id": "0", "function": {"name": "f", "arguments": ""}}]},
        {"role": "tool", "tool_call_id": "0", "content": "ok"},
    ]
    with pytest.raises(OverloadedError):
        await run(observed.pipeline(*events, capture_content=True), messages)
    span = observed.span
    assert json.loads(span.attributes["gen_ai.input.messages"]) == [
        {"role": "system", "parts": [{"type": "text", "content": "Be kind."}]},
        {"role": "user", "parts": [{"type": "text", "content": "Hi"}, {"type": "image_url", "image_url": {}}]},
        {"role": "assistant", "parts": [{"type": "tool_call", "id": "0", "name": "f", "arguments": ""}]},
        {"role": "tool", "parts": [{"type": "tool_call_response", "id": "0", "response": "ok"}]},
    ]
    assert json.loads(span.attributes["gen_ai.output.messages"]) == [
        {
            "role": "assistant",
            "parts": [
                {"type": "reasoning", "content": "Hm"},
                {"type": "text", "content": "Yes"},
                {"type": "tool_call", "id": "1", "name": "look", "arguments": "{}"},
            ],
            "finish_reason": None,
        }
    ]
    assert span.status.description == "you said Hi"


async def test_a_prompt_is_captured_as_a_message_of_the_user(observed):
    """The conventions know messages only, so a prompt becomes one."""
    observed.pipeline(capture_content=True).run("Hi")
    asked = json.loads(observed.span.attributes["gen_ai.input.messages"])
    assert asked == [{"role": "user", "parts": [{"type": "text", "content": "Hi"}]}]


async def test_the_span_is_a_child_of_the_span_around_the_loop(run, observed):
    """The parent is the span that is current where the answer is read; it stays current for the reader's own work."""
    tracer = observed.tracers.get_tracer("gateway")
    with tracer.start_as_current_span("gateway") as parent:
        await run(observed.pipeline(), "Hi")
        tracer.start_span("after").end()
    client, after, _ = observed.spans
    assert client.parent.span_id == after.parent.span_id == parent.get_span_context().span_id


async def test_the_span_ends_with_the_last_token(observed):
    """A consumer that is slow after the end does not lengthen the operation."""
    with observed.pipeline().stream("Hi") as stream:
        for _ in stream:
            pass
    points = observed.points()
    (duration,) = points["gen_ai.client.operation.duration"]
    (first,) = points["gen_ai.client.operation.time_to_first_chunk"]
    (between,) = points["gen_ai.client.operation.time_per_output_chunk"]
    assert duration.sum == pytest.approx(first.sum + between.sum)
    assert (observed.span.end_time - observed.span.start_time) / 1e9 == pytest.approx(duration.sum, abs=0.01)


def test_the_names_are_those_of_the_conventions():
    """Each attribute in the tests' exact sets is one of the conventions' package."""
    known = {
        value
        for module in (gen_ai_attributes, server_attributes, error_attributes)
        for name, value in vars(module).items()
        if name.isupper() and isinstance(value, str)
    }
    assert {*TARGET, *ANSWERED, "gen_ai.response.time_to_first_chunk", "gen_ai.request.stream", "error.type"} <= known
