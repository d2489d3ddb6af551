"""What an endpoint accepts before anything is sent."""

import pytest

from streamkit import ConfigurationError, Endpoint


@pytest.mark.parametrize(
    "url", ["https://h", "http://127.0.0.1:8080/v1", "https://[::1]:8/x", "https://bücher.example/?a=b"]
)
def test_a_url_of_a_server_is_one(url):
    """Base, port, path and query."""
    assert Endpoint(url).url == url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "host/path",
        "ftp://host",
        "https://",
        "https:///path",
        "http://[::1",
        "http://host:port",
        "http://host:99999",
        " https://host",
        "https://host\n",
        "https://ho st",
        "https://ho\tst",
        "http://a..b/",
        f"http://{'a' * 64}.example/",
        "https://evil.example\\.huggingface.co",
        "https://evil.example\\@huggingface.co",
        7,
        None,
        b"https://host",
    ],
)
def test_what_is_no_url_is_refused(url):
    """So is one in which two readers would see two hosts: the token of one would go to the other."""
    with pytest.raises(ConfigurationError):
        Endpoint(url)


@pytest.mark.parametrize("url", ["https://user:pa55@host", "https://user@host", "https://:pa55@host"])
def test_a_password_in_a_url_is_refused(url):
    """It would be shown wherever the URL is; the message does not repeat it."""
    with pytest.raises(ConfigurationError, match="token=") as caught:
        Endpoint(url)
    assert "pa55" not in str(caught.value)


def test_an_unknown_api_is_refused():
    """The known ones are listed."""
    with pytest.raises(ConfigurationError, match="'auto', 'tgi', 'chat', 'completions', 'ollama'"):
        Endpoint("https://h", api="openai")


def test_endpoints_are_values():
    """What one has found out about its server is no part of it."""
    one, other = Endpoint("https://h", token="a"), Endpoint("https://h", token="a")
    one._known.server = object()
    assert one == other
    assert one != Endpoint("https://h", token="b")


def test_the_router_is_asked_for_chats_and_nothing_beforehand():
    """It serves nothing else."""
    assert not Endpoint("https://router.huggingface.co/v1", model="a/b")._must_ask()
