"""What a type checker must see in a user's code; never run, only checked by `make types`."""

from collections.abc import Sequence
from typing import assert_type

from streamkit import (
    AsyncStream,
    Callback,
    Collect,
    Console,
    Endpoint,
    Event,
    Pipeline,
    Request,
    Retry,
    RunResult,
    SkipSpecialTokens,
    StopSequences,
    Stream,
    Token,
    arun_many,
    astream,
    from_iterable,
    recommended_transforms,
    run_many,
    stream,
)


class Shout:
    """A transform of a user's own needs no base class."""

    def start(self) -> "Shouting":
        return Shouting()


class Shouting:
    def feed(self, event: Event) -> Sequence[Event]:
        return (Token(event.text.upper()),) if isinstance(event, Token) else (event,)

    def flush(self) -> Sequence[Event]:
        return ()


class Telling:
    """So does a sink that awaits."""

    def aopen(self, request: Request) -> "Telling":
        return self

    async def awrite(self, event: Event) -> None: ...

    async def aclose(self, result: RunResult) -> None: ...


pipeline = Endpoint("http://127.0.0.1:1") | SkipSpecialTokens() | StopSequences("###") | Shout() | Console()
assert_type(pipeline, Pipeline)
assert_type(Retry(Endpoint("http://127.0.0.1:1")) | recommended_transforms(stop="###"), Pipeline)
assert_type(from_iterable(["a"]) | Shout(), Pipeline)
assert_type(pipeline | [Collect(), Callback(print)], Pipeline)
assert_type(pipeline | Telling(), Pipeline)
Pipeline(Endpoint("http://127.0.0.1:1"), transforms=[SkipSpecialTokens(), Shout()], sinks=[Collect()])


def refused() -> None:
    """Each line is wrong, and a checker that does not see it finds its comment unused."""
    Endpoint("http://127.0.0.1:1") | 3  # type: ignore[operator]  # a number is no stage
    Endpoint("http://127.0.0.1:1") | [Shout(), "###"]  # type: ignore[list-item]  # nor is text
    pipeline | Endpoint("http://127.0.0.1:1")  # type: ignore[operator]  # nor another source
    pipeline | print  # type: ignore[operator]  # nor a function


def ask() -> RunResult:
    with pipeline.stream("Hello", max_new_tokens=8) as opened:
        assert_type(opened, Stream)
        for text in opened:
            assert_type(text, str)
        for token in opened.tokens():
            assert_type(token, Token)
        for event in opened.events():
            assert_type(event, Event)
    assert_type(opened.result, RunResult)
    assert_type(stream("Hello", "owner/model"), Stream)
    return pipeline.run([{"role": "user", "content": "Hello"}])


async def ask_async() -> RunResult:
    async with pipeline.astream("Hello") as opened:
        assert_type(opened, AsyncStream)
        async for text in opened:
            assert_type(text, str)
        async for event in opened.events():
            assert_type(event, Event)
    assert_type(astream("Hello", "owner/model"), AsyncStream)
    return await pipeline.arun("Hello")


async def ask_many() -> None:
    with run_many(pipeline, ["Hello"], concurrency=4) as answers:
        for question, result in answers:
            assert_type(question, str)
            assert_type(result, RunResult)
    async with arun_many(pipeline, [Request(prompt="Hello")]) as ended:
        async for request, result in ended:
            assert_type(request, Request)
            assert_type(result, RunResult)
