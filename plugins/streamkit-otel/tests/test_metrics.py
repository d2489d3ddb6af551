"""The measurements: their instruments, bounds, units and exact attributes."""

from __future__ import annotations

import pytest
from opentelemetry.semconv._incubating.metrics import gen_ai_metrics
from streamkit import Finish, OverloadedError, Token, ToolCallDelta

TARGET = {
    "gen_ai.operation.name": "text_completion",
    "gen_ai.provider.name": "huggingface",
    "gen_ai.request.model": "owner/name",
    "server.address": "my-endpoint.example",
    "server.port": 443,
}
SECONDS = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
TOKENS = (1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864)
TIMES = (
    "gen_ai.client.operation.duration",
    "gen_ai.client.operation.time_to_first_chunk",
    "gen_ai.client.operation.time_per_output_chunk",
)


async def test_a_completed_run_is_measured(run, observed):
    """Each time has the conventions' bounds and the target's attributes; tokens are counted by their type."""
    await run(observed.pipeline(), "Hi")
    points = observed.points()
    assert set(points) == {*TIMES, "gen_ai.client.token.usage", "streamkit.streams.active", "streamkit.stream.end"}
    for name, count in zip(TIMES, (1, 1, 2), strict=True):
        (point,) = points[name]
        assert (dict(point.attributes), point.count) == (TARGET, count)
        assert point.explicit_bounds == pytest.approx(SECONDS)
    tokens = {point.attributes["gen_ai.token.type"]: point for point in points["gen_ai.client.token.usage"]}
    assert {kind: point.sum for kind, point in tokens.items()} == {"input": 9, "output": 3}
    assert all(tuple(point.explicit_bounds) == TOKENS for point in tokens.values())
    assert dict(tokens["input"].attributes) == TARGET | {"gen_ai.token.type": "input"}
    (end,) = points["streamkit.stream.end"]
    assert dict(end.attributes) == {"reason": "finished"}


async def test_a_failed_run_is_measured_with_its_error(run, observed):
    """The error's class is an attribute of the times, so that failures can be told from slow answers."""
    with pytest.raises(OverloadedError):
        await run(observed.pipeline(OverloadedError("full")), "Hi")
    points = observed.points()
    (duration,) = points["gen_ai.client.operation.duration"]
    assert dict(duration.attributes) == TARGET | {"error.type": "streamkit.errors.OverloadedError"}
    assert not {*TIMES[1:], "gen_ai.client.token.usage"} & set(points)


async def test_usage_is_never_guessed(run, observed):
    """An engine that reports no usage leaves no count, however many tokens came."""
    await run(observed.pipeline(Token("a"), Token("b"), Finish()), "Hi")
    assert "gen_ai.client.token.usage" not in observed.points()
    assert not [name for name in observed.span.attributes if name.startswith("gen_ai.usage")]


async def test_an_answer_without_tokens_has_no_first_chunk(run, observed):
    """A tool call alone has no token whose arrival could be told."""
    await run(observed.pipeline(ToolCallDelta(name="look"), Finish(reason="tool_calls")), "Hi")
    assert set(observed.points()) == {TIMES[0], "streamkit.streams.active", "streamkit.stream.end"}
    assert "gen_ai.response.time_to_first_chunk" not in observed.span.attributes


def test_the_time_of_each_chunk_can_be_left_out(observed):
    """A busy server saves the dearest instrument, and keeps the others."""
    observed.pipeline().evolve(callbacks=[observed.telemetry(measure_chunks=False)]).run("Hi")
    assert {*TIMES} - set(observed.points()) == {"gen_ai.client.operation.time_per_output_chunk"}


def test_a_stream_that_is_read_is_active(observed):
    """From the first step to the end, a run counts as active."""
    with observed.pipeline().stream("Hi") as stream:
        next(iter(stream))
        (active,) = observed.points()["streamkit.streams.active"]
        assert (active.value, dict(active.attributes)) == (1, {})


def test_the_names_are_those_of_the_conventions():
    """Each instrument that is not our own is one of the conventions' package."""
    known = {value for name, value in vars(gen_ai_metrics).items() if name.isupper() and isinstance(value, str)}
    assert {*TIMES, "gen_ai.client.token.usage"} <= known
