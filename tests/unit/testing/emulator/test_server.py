"""Starting, stopping, recording, holding, and clients that leave."""

import asyncio
import gc
import logging
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from streamkit.errors import ConfigurationError
from streamkit.testing import EmulatedEndpoint, ScriptedToken

EOS = ScriptedToken("</s>", special=True)
HELLO = ["Hello", " world", EOS]


def open_descriptors():
    """Return the number of open file descriptors of this process."""
    return len(list(Path("/proc/self/fd").iterdir()))


class TestLifecycle:
    """Starting and stopping."""

    def test_starting_and_stopping_twice_is_starting_and_stopping_once(self, get):
        """A second call changes nothing."""
        server = EmulatedEndpoint(HELLO)
        assert server.start() is server.start()
        url = server.url
        server.start()
        assert server.url == url
        assert get(server, "/health").status == 200
        server.stop()
        server.stop()

    def test_a_stopped_endpoint_has_no_address(self):
        """The error says what to do."""
        with pytest.raises(RuntimeError, match="call start"):
            _ = EmulatedEndpoint(HELLO).url

    def test_it_can_be_started_again(self, post):
        """A second start serves the same script and keeps the record."""
        server = EmulatedEndpoint(HELLO)
        for _ in range(2):
            with server:
                assert post(server, "/generate", {"inputs": "Hi"}).json == {"generated_text": "Hello world"}
        assert len(server.requests) == 2

    def test_it_is_an_asynchronous_context_manager_too(self, get):
        """Both kinds of `with` start and stop it."""

        async def use():
            async with EmulatedEndpoint(HELLO) as server:
                assert (await asyncio.to_thread(get, server, "/health")).status == 200
                return server

        with pytest.raises(RuntimeError):
            _ = asyncio.run(use()).url

    @pytest.mark.skipif(sys.platform != "linux", reason="descriptors are counted in /proc")
    def test_stopping_leaves_no_thread_and_no_descriptor_behind(self, ask, read_until):
        """Not even when it stops in the middle of answers that nobody reads."""
        with EmulatedEndpoint(HELLO):  # imports what is imported once
            pass
        gc.collect()
        threads, descriptors = threading.active_count(), open_descriptors()
        endless = ["x" * 1000] * 4000
        with EmulatedEndpoint(endless, max_total_tokens=10_000) as server, ask(server) as stuck, ask(server) as read:
            read_until(read, b"\n\n", 3)
            server.wait_for_request()
            server.stop()
            assert stuck.fileno() > 0
        assert threading.active_count() == threads
        assert open_descriptors() == descriptors

    def test_stopping_is_not_mistaken_for_a_client_leaving(self, ask):
        """`client_left` speaks of the client only."""
        with EmulatedEndpoint(HELLO, gate=True) as server, ask(server):
            request = server.wait_for_request()
            server.stop()
            assert request.done.wait(5)
        assert not request.client_left.is_set()
        assert not request.answer_complete

    def test_importing_it_does_not_import_the_http_library(self):
        """Only starting a server costs what a server costs."""
        code = "import sys, streamkit.testing; sys.exit('aiohttp' in sys.modules)"
        assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0  # noqa: S603 - our own code

    def test_an_unknown_engine_is_refused(self):
        """The message lists the known ones."""
        with pytest.raises(ConfigurationError, match="tgi, vllm, openai, ollama"):
            EmulatedEndpoint(engine="triton")

    def test_a_bad_script_is_refused_before_anything_runs(self):
        """The mistake is reported where it was made."""
        with pytest.raises(ConfigurationError):
            EmulatedEndpoint("Hello")


class TestRecord:
    """What `requests` keeps."""

    def test_a_request_is_recorded_with_all_that_came(self, post):
        """Header names are found in any case."""
        with EmulatedEndpoint(HELLO) as server:
            post(server, "/generate?x=1", {"inputs": "Hi", "mine": [1]}, **{"X-Mine": "yes"})
            request = server.wait_for_request()
        assert (request.method, request.path, request.query) == ("POST", "/generate", "x=1")
        assert request.headers["x-mine"] == "yes"
        assert request.body == {"inputs": "Hi", "mine": [1]}

    def test_a_complete_answer_is_recorded_as_such(self, post):
        """All tokens went out, and nobody left."""
        with EmulatedEndpoint(HELLO) as server:
            post(server, "/generate_stream", {"inputs": "Hi"})
            request = server.wait_for_request()
            assert request.done.wait(5)
        assert (request.tokens_sent, request.answer_complete, request.client_left.is_set()) == (3, True, False)
        assert request.finished >= request.started

    def test_requests_to_nowhere_are_recorded_too(self, get):
        """A client's mistakes are what a test wants to see."""
        with EmulatedEndpoint(HELLO) as server:
            assert get(server, "/nowhere").status == 404
        assert [request.path for request in server.requests] == ["/nowhere"]

    def test_a_body_that_is_not_json_is_none(self, post):
        """The record does not guess."""
        with EmulatedEndpoint(HELLO) as server:
            post(server, "/generate", b"{")
        assert server.requests[0].body is None


class TestClientLeaves:
    """`client_left` is set at once."""

    @pytest.mark.parametrize("path", ["/generate_stream", "/generate"])
    def test_before_the_first_token(self, ask, path):
        """A server that waits for its model still notices."""
        with EmulatedEndpoint(HELLO, gate=True) as server:
            with ask(server, path):
                request = server.wait_for_request()
            assert request.client_left.wait(2)
            assert request.done.wait(2)
        assert (request.tokens_sent, request.answer_complete) == (0, False)

    def test_between_two_slow_tokens(self, ask, read_until):
        """The pace does not delay it."""
        with EmulatedEndpoint(["x"] * 10, pace=30) as server:
            with ask(server) as connection:
                read_until(connection, b"\n\n", 1)
                request = server.wait_for_request()
            assert request.client_left.wait(2)
        assert request.tokens_sent == 1

    def test_during_a_flood(self, ask, read_until):
        """A server that never waits still notices."""
        with EmulatedEndpoint(lambda _: iter(lambda: "x", None), max_total_tokens=10**9) as server:
            with ask(server) as connection:
                read_until(connection, b"\n\n", 5)
            request = server.wait_for_request()
            assert request.client_left.wait(2)
        assert not request.answer_complete

    def test_while_a_token_waits_for_its_own_gate(self, ask):
        """Nor does a gate that never opens hold the answer."""
        never = threading.Event()
        with EmulatedEndpoint([ScriptedToken("x", gate=never)]) as server:
            with ask(server):
                request = server.wait_for_request()
            assert request.client_left.wait(2)

    def test_not_when_it_leaves_after_the_end(self, ask, read_until):
        """A client may go when it has everything."""
        with EmulatedEndpoint(HELLO) as server, ask(server) as connection:
            read_until(connection, b"0\r\n\r\n")
            request = server.wait_for_request()
            assert request.done.wait(5)
            connection.close()
        assert not request.client_left.is_set()


class TestHoldPoints:
    """`gate`, `release` and tokens with an event."""

    def test_released_tokens_go_and_the_next_one_waits(self, ask, read_until):
        """A test can act after a token without sleeping."""
        with EmulatedEndpoint(["a", "b", "c", EOS], gate=True) as server, ask(server) as connection:
            request = server.wait_for_request()
            server.release(2)
            seen = read_until(connection, b"}\n\n", 2)
            assert b'"index":2' in seen
            assert request.tokens_sent == 2
            server.release(2)
            assert b'"generated_text":"abc"' in read_until(connection, b"0\r\n\r\n")

    def test_tokens_can_be_released_before_the_server_starts(self, ask, read_until):
        """What is released counts for every stream, present and future."""
        server = EmulatedEndpoint(["a", "b"], gate=True)
        server.release(1)
        with server, ask(server) as first, ask(server) as second:
            for connection in (first, second):
                read_until(connection, b'"index":1')
            assert [request.tokens_sent for request in server.requests] == [1, 1]

    def test_a_restarted_server_holds_and_releases_anew(self, ask, read_until):
        """Its loop is another one."""
        server = EmulatedEndpoint(["a", "b"], gate=True)
        for number in (1, 2):
            with server, ask(server) as connection:
                server.wait_for_request()
                server.release(1)
                read_until(connection, b'"index":%d' % number)

    def test_an_event_can_hold_a_single_token(self, ask, read_until):
        """The tokens before it are not held."""
        event = threading.Event()
        with EmulatedEndpoint(["a", ScriptedToken("b", gate=event)]) as server, ask(server) as connection:
            read_until(connection, b'"index":1')
            request = server.wait_for_request()
            assert request.tokens_sent == 1
            event.set()
            read_until(connection, b"0\r\n\r\n")


class TestScripts:
    """Where tokens come from."""

    def test_a_function_writes_the_script_for_each_request(self, post):
        """It sees the request."""
        with EmulatedEndpoint(lambda seen: [seen.body["inputs"], "!", EOS]) as server:
            assert post(server, "/generate", {"inputs": "one"}).json == {"generated_text": "one!"}
            assert post(server, "/generate", {"inputs": "two"}).json == {"generated_text": "two!"}

    def test_without_a_script_the_travel_guide_speaks(self, post):
        """The endpoint's seed makes it repeatable."""
        body = {"inputs": "What can you do in Nuremberg, Germany? Give me 3 tips", "parameters": {"temperature": 1.2}}
        with EmulatedEndpoint(seed=3) as server:
            answers = {post(server, "/generate", body).json["generated_text"] for _ in range(3)}
        assert len(answers) == 1
        assert "Castle" in answers.pop()

    def test_what_a_script_function_raises_is_raised_at_the_end(self, post):
        """The server answers 500, and the test fails with the true reason."""

        def script(_seen):
            raise LookupError("no such line")

        with pytest.raises(LookupError, match="no such line"), EmulatedEndpoint(script) as server:
            answer = post(server, "/generate", {"inputs": "secret"})
        assert (answer.status, answer.text) == (500, "streamkit-emulator: LookupError in a script or respond function")

    def test_a_script_that_breaks_in_the_middle_cuts_the_stream(self, ask, read_all):
        """A second response is never written into the first."""

        def script(_seen):
            yield "a"
            yield "b"
            raise LookupError("lost")

        with pytest.raises(LookupError, match="lost"), EmulatedEndpoint(script) as server, ask(server) as connection:
            seen = read_all(connection)
        assert b'"index":1' in seen
        assert b"0\r\n\r\n" not in seen
        assert seen.count(b"HTTP/1.1") == 1

    def test_the_tests_own_failure_is_not_hidden(self, post):
        """An assertion inside the block goes before an exception of the script."""
        with pytest.raises(AssertionError), EmulatedEndpoint(lambda _: []) as server:
            assert post(server, "/generate", {"inputs": "x"}).status == 200


async def test_many_streams_run_at_once():
    """None waits for another: all of them stand at the same gate."""
    import aiohttp

    async def read(session, url):
        async with session.post(url, json={"inputs": "x"}) as response:
            return (await response.read()).count(b"\n\n")

    async with EmulatedEndpoint(["a", "b", "c"], gate=True) as server:
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(connector=connector) as session, asyncio.TaskGroup() as group:
            streams = [group.create_task(read(session, server.url + "/generate_stream")) for _ in range(200)]
            for _ in streams:
                await asyncio.to_thread(server.wait_for_request)
            server.release(3)
    assert [stream.result() for stream in streams] == [3] * 200


def test_nothing_is_logged(post, ask, caplog):
    """Neither a request nor a failure reaches a log, whatever the level."""
    with caplog.at_level(logging.DEBUG), EmulatedEndpoint(HELLO) as server:
        post(server, "/generate", {"inputs": "canary"}, Authorization="Bearer canary")
        with ask(server, path="/canary\x01"):
            pass
    assert "canary" not in "".join(
        record.getMessage() for record in caplog.records if record.name != "urllib3.connectionpool"
    )
