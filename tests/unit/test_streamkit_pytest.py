"""The fixtures that pytest finds by entry point."""

import pytest

from streamkit import ConnectError, Endpoint, Host, Pipeline


@pytest.fixture
def stopped():
    """Return the URLs whose servers must be stopped when the test is over."""
    urls = []
    yield urls
    for url in urls:
        with pytest.raises(ConnectError):
            Pipeline(Endpoint(url, api="tgi")).run("Hello")


def test_endpoints_are_started_and_stopped(stopped, emulated_endpoint):
    """As many as a test wants, with the options of `EmulatedEndpoint`."""
    one, two = emulated_endpoint(["Hel", "lo"]), emulated_endpoint(["Bye"], engine="vllm")
    stopped += [one.url, two.url]
    assert Pipeline(Endpoint(one.url)).run("Hello").text == "Hello"
    assert Pipeline(Endpoint(two.url)).run("Hello").text == "Bye"


@pytest.fixture
def restored():
    """Hold the default host to being the process's own before and after a test."""
    before = Host.default()
    yield before
    assert Host.default() is before


def test_a_host_of_the_test_is_the_default_one(restored, streamkit_host):
    """Code under test that asks for the default host gets the test's plugins, and no installed ones."""
    host = streamkit_host({"register_sinks": lambda: {"mine": dict}})
    assert Host.default() is host
    assert host is not restored
    assert host.registry("sinks")["mine"].factory is dict
    assert {plugin.origin for plugin in host.plugins()} == {None}
