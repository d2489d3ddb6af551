"""The one-liners: the recommended chain in front of whatever the model is."""

import asyncio
import gc
import secrets
from types import SimpleNamespace

import pytest

import streamkit
from streamkit import (
    ConfigurationError,
    OverloadedError,
    Serverless,
)
from streamkit.sources import _detect
from streamkit.sources._credentials import Secret
from streamkit.testing import EmulatedEndpoint, Response, ScriptedToken

CANARY = "hf_CanaryThatMustNotSing0123456789"


def routes(server):
    """Return what was asked of a server."""
    return [(seen.method, seen.path) for seen in server.requests]


class TestOneLiners:
    """`stream` and `astream`."""

    @pytest.fixture(autouse=True)
    def clock(self, monkeypatch):
        """The time, which stands still. Nothing is known: an earlier test's server may have had the same port."""
        clock = SimpleNamespace(now=0.0)
        monkeypatch.setattr(_detect, "time", SimpleNamespace(monotonic=lambda: clock.now))
        _detect._kept.cache_clear()
        return clock

    def test_a_url_is_an_endpoint_and_the_text_is_clean(self, drive, eos):
        """Stops are cut, end marks gone."""
        with EmulatedEndpoint(["Hello", " wor", "ld\nUs", "er: bye", eos]) as server:
            text, result = say(drive, "Hi", server.url, stop="\nUser:", max_new_tokens=9)
            assert server.requests[-1].body["parameters"]["max_new_tokens"] == 9
        assert text == result.text == "Hello world"
        assert (result.outcome, result.stop) == ("completed", "\nUser:")

    def test_several_stops_and_a_token_can_be_passed(self, drive):
        """The token is for this server."""
        with EmulatedEndpoint(["Hello", " B there"], api_key=CANARY) as server:
            text, _ = say(drive, "Hi", server.url, stop=["A", " B"], token=CANARY)
        assert text == "Hello"

    def test_anything_else_is_a_model_on_the_hub(self, drive, eos, monkeypatch):
        """It is asked of the router."""
        with EmulatedEndpoint(["Hello", eos], engine="openai", model="owner/model") as server:
            monkeypatch.setattr(
                "streamkit.quick.Serverless", lambda model, token: Serverless(model, token=token, router=server.url)
            )
            text, _ = say(drive, [{"role": "user", "content": "Hi"}], "owner/model", token=CANARY)
        assert text == "Hello"

    @pytest.mark.parametrize("model", ["", "ftp://host"])
    def test_what_is_neither_is_refused_at_once(self, drive, model):
        """Nothing need be iterated for that."""
        with pytest.raises(ConfigurationError):
            (streamkit.astream if drive.asynchronous else streamkit.stream)("Hi", model)

    def test_nothing_is_sent_before_it_is_iterated(self, drive, hello):
        """A stream that is made and forgotten costs nothing."""
        (streamkit.astream if drive.asynchronous else streamkit.stream)("Hi", hello.url)
        assert not hello.requests

    def test_a_server_is_asked_once_what_it_is(self, drive, hello):
        """And again for another token, to which it may show other models."""
        for _ in range(3):
            assert say(drive, "Hi", hello.url)[0] == "Hello world"
        assert routes(hello) == [("GET", "/v1/models"), ("POST", "/"), ("POST", "/"), ("POST", "/")]
        say(drive, "Hi", hello.url, token=CANARY)
        assert routes(hello)[4:] == [("GET", "/v1/models"), ("POST", "/")]

    def test_a_server_is_asked_again_after_five_minutes(self, drive, hello, clock):
        """Another may run there by then."""
        for clock.now in (0.0, 299.9, 300.0):
            say(drive, "Hi", hello.url)
        assert [method for method, _ in routes(hello)] == ["GET", "POST", "POST", "GET", "POST"]

    def test_a_server_that_could_not_say_what_it_is_is_asked_again(self, drive, eos):
        """Nothing is kept of a failure."""
        busy_once = iter([Response(status=503)])
        with EmulatedEndpoint(["Hello", eos], respond=lambda _: next(busy_once, None)) as server:
            with pytest.raises(OverloadedError):
                say(drive, "Hi", server.url)
            assert say(drive, "Hi", server.url)[0] == "Hello"
        assert routes(server) == [("GET", "/v1/models"), ("GET", "/v1/models"), ("POST", "/")]

    def test_no_token_is_kept(self, drive, hello):
        """What is remembered is whose answer it was, by a hash."""
        token = f"hf_{secrets.token_hex(16)}"  # which no other test's endpoint may still hold
        say(drive, "Hi", hello.url, token=token)
        gc.collect()
        assert token not in [each.reveal() for each in gc.get_objects() if isinstance(each, Secret)]


def say(drive, *arguments, **options):
    """Return the text and the result of a one-liner."""
    if drive.asynchronous:

        async def ask():
            async with streamkit.astream(*arguments, **options) as stream:
                return "".join([piece async for piece in stream]), stream

        text, stream = asyncio.run(ask())
    else:
        with streamkit.stream(*arguments, **options) as stream:
            text = "".join(stream)
    return text, stream.result


def test_a_special_token_in_the_middle_does_not_reach_the_text(drive, eos):
    """The one-liner hides it."""
    with EmulatedEndpoint(["Hello", ScriptedToken("<unk>", special=True), "!", eos]) as server:
        assert say(drive, "Hi", server.url)[0] == "Hello!"
