"""Servers that cannot be reached, TLS, and proxies."""

import base64
import gc
import socket
import threading

import pytest

from streamkit import AuthenticationError, ConfigurationError, ConnectError, Endpoint
from streamkit.testing import EmulatedEndpoint, Response

ANSWER = b'data: {"index":1,"token":{"id":1,"text":"one","special":false},"generated_text":"one"}\n\n'
RESPONSE = (b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: %d\r\n\r\n" % len(ANSWER)) + ANSWER


def say_one(connection, _request):
    """Answer with one token."""
    connection.sendall(RESPONSE)


@pytest.fixture
def proxies(monkeypatch):
    """Return a function that sets the proxies of the environment."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)

    def proxies(**values):
        for name, value in values.items():
            monkeypatch.setenv(name, value)

    return proxies


class TestUnreachable:
    """There is no connection; the message says why, and what to check."""

    def check(self, played, *words):
        """Hold a run to that."""
        assert type(played.error) is ConnectError
        assert played.error.result.outcome == "failed"
        for word in words:
            assert word in str(played.error)

    def test_a_port_where_nobody_listens(self, drive):
        """Nothing is said of TLS, which is not in play."""
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        played = drive(Endpoint(f"http://127.0.0.1:{port}/x?key=value", api="tgi"))
        self.check(played, f"http://127.0.0.1:{port}/x: check the URL and that the server runs (Connection refused)")
        assert "TLS" not in str(played.error)
        assert "value" not in str(played.error)

    @pytest.mark.parametrize("scheme", ["http", "https"])
    def test_a_host_that_does_not_exist(self, drive, scheme):
        """The name is not found."""
        self.check(drive(Endpoint(f"{scheme}://nonexistent.invalid", api="tgi")), "no such host: check the URL")

    def test_a_server_that_hangs_up_without_a_word(self, drive, serve):
        """It took the request, and closed."""
        self.check(drive(Endpoint(serve(lambda *_: None).url, api="tgi")), "check the URL and that the server runs")

    def test_a_certificate_that_nobody_vouches_for(self, drive, serve, tls_context):
        """It is not accepted, and nothing is sent."""
        server = serve(say_one, tls_context)
        self.check(drive(Endpoint(server.url, api="tgi", token="hf_canary")), "certificate was not accepted")
        assert not server.requests

    @pytest.mark.usefixtures("trusted")
    def test_a_certificate_for_another_host(self, drive, serve, tls_context):
        """The name is checked."""
        server = serve(say_one, tls_context)
        played = drive(Endpoint(server.url.replace("localhost", "127.0.0.1"), api="tgi"))
        self.check(played, "certificate was not accepted")
        assert not server.requests

    def test_a_plain_server_at_an_https_url(self, drive, serve):
        """TLS is what failed, and no certificate."""
        server = serve(lambda connection, _: connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n"), reads=False)
        self.check(drive(Endpoint(server.url.replace("http:", "https:"), api="tgi")), "TLS failed")

    def test_something_that_is_not_http(self, drive, serve):
        """A database, say."""
        server = serve(lambda connection, _: connection.sendall(b"\x00\x01\x02 go away\r\n\r\n"))
        self.check(drive(Endpoint(server.url, api="tgi")))


def test_sockets_are_kept_alive(drive, serve):
    """A connection on which nothing comes for long is not forgotten on the way."""

    def handle(connection, _request):
        connection.sendall(RESPONSE.replace(b',"generated_text":"one"', b"").replace(b"Length: ", b"Length: 9"))
        assert connection.recv(1) == b""

    server = serve(handle)
    seen = []

    def look(_):
        sockets = [each for each in gc.get_objects() if isinstance(each, socket.socket) and is_to(each, server.port)]
        seen.extend(each.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) for each in sockets)
        return True

    drive(Endpoint(server.url, api="tgi"), body=look)
    assert seen
    assert all(seen)


def is_to(connection, port):
    """Tell whether a socket is connected to a port."""
    try:
        return connection.family == socket.AF_INET and connection.getpeername()[1] == port
    except OSError:
        return False


@pytest.mark.usefixtures("trusted")
class TestTls:
    """Over TLS, all is as without."""

    def test_a_stream_is_read_to_its_end(self, drive, serve, tls_context):
        """With a token for the server."""
        server = serve(say_one, tls_context)
        assert drive(Endpoint(server.url, api="tgi", token="hf_canary")).text == "one"
        assert b"Authorization: Bearer hf_canary\r\n" in server.requests[0]

    def test_leaving_closes_the_connection_at_once(self, drive, serve, tls_context):
        """The server need not answer TLS's farewell."""
        gone = threading.Event()

        def handle(connection, _request):
            connection.sendall(RESPONSE.replace(b',"generated_text":"one"', b"").replace(b"Length: ", b"Length: 9"))
            try:
                assert connection.recv(1) == b""
            finally:
                gone.set()

        server = serve(handle, tls_context)
        played = drive(Endpoint(server.url, api="tgi"), body=lambda _: True)
        assert (played.text, played.result.outcome) == ("one", "aborted")
        assert gone.wait(5)


class TestProxies:
    """The environment's proxies are used, except for this machine itself."""

    URL = "http://streamkit.invalid/generate_stream"

    def test_the_environments_proxy_is_used(self, drive, serve, proxies):
        """It gets the whole URL."""
        server = serve(say_one)
        proxies(http_proxy=server.url)
        assert drive(Endpoint(self.URL)).text == "one"
        assert server.requests[0].startswith(b"POST http://streamkit.invalid/generate_stream HTTP/1.1\r\n")

    def test_a_proxy_for_all_urls_is_used(self, drive, serve, proxies):
        """Its variable has a name of its own."""
        server = serve(say_one)
        proxies(ALL_PROXY=server.url)
        assert drive(Endpoint(self.URL)).text == "one"

    def test_a_proxy_may_be_named_without_a_scheme(self, drive, serve, proxies):
        """`host:port` is common."""
        server = serve(say_one)
        proxies(http_proxy=server.url.removeprefix("http://"))
        assert drive(Endpoint(self.URL)).text == "one"

    def test_a_proxy_gets_its_own_password(self, drive, serve, proxies):
        """It is not part of any header for the server, nor of the URL."""
        server = serve(say_one)
        proxies(http_proxy=server.url.replace("//", "//user:pass%40word@"))
        assert drive(Endpoint(self.URL)).text == "one"
        secret = base64.b64encode(b"user:pass@word")
        assert b"proxy-authorization: basic " + secret.lower() in server.requests[0].lower()
        assert b"word@" not in server.requests[0]

    def test_https_goes_through_a_tunnel(self, drive, serve, proxies):
        """A proxy that refuses it is a connection that cannot be made; the token is not shown to it."""
        server = serve(lambda connection, _: connection.sendall(b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n"))
        proxies(https_proxy=server.url)
        played = drive(Endpoint("https://streamkit.invalid/generate_stream", token="hf_canary"))
        assert type(played.error) is ConnectError
        assert server.requests[0].startswith(b"CONNECT streamkit.invalid:443 HTTP/1.")
        assert b"hf_canary" not in server.requests[0]

    @pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
    def test_loopback_is_never_reached_by_a_proxy(self, drive, hello, proxies, host):
        """A token for a server on this machine stays on it."""
        proxies(http_proxy="http://127.0.0.1:1", ALL_PROXY="http://127.0.0.1:1")
        played = drive(Endpoint(hello.url.replace("127.0.0.1", host), api="tgi"))
        assert played.text == "Hello world</s>"

    def test_no_proxy_is_respected(self, drive, serve, proxies):
        """The host is asked directly, and does not exist."""
        server = serve(say_one)
        proxies(http_proxy=server.url, no_proxy="streamkit.invalid")
        assert type(drive(Endpoint(self.URL)).error) is ConnectError
        assert not server.requests

    def test_a_proxy_of_another_kind_is_a_setting_that_cannot_work(self, drive, proxies):
        """The message says what to set."""
        proxies(http_proxy="socks5://user:password@127.0.0.1:1")
        played = drive(Endpoint(self.URL))
        assert isinstance(played.error, ConfigurationError)
        assert "socks5" in str(played.error)
        assert "password" not in str(played.error)

    @pytest.mark.parametrize("scheme", ["http", "https"])
    def test_an_unreachable_proxy_is_a_connection_that_cannot_be_made(self, drive, proxies, scheme):
        """The message blames the proxy and not the URL, and its password is not in it."""
        proxies(**{f"{scheme}_proxy": "http://user:password@127.0.0.1:1"})
        played = drive(Endpoint(self.URL.replace("http", scheme)))
        assert type(played.error) is ConnectError
        hint = f"proxy refused: check {scheme}_proxy, or set no_proxy=streamkit.invalid (Connection refused)"
        assert str(played.error).endswith(hint)
        assert "password" not in str(played.error)

    def test_a_proxy_that_refuses_is_quoted_without_its_password(self, drive, serve, proxies):
        """Clients put its URL into their own messages."""
        server = serve(lambda connection, _: connection.sendall(b"HTTP/1.1 407 Who?\r\nContent-Length: 0\r\n\r\n"))
        proxies(https_proxy=server.url.replace("//", "//user:password@"))
        played = drive(Endpoint("https://streamkit.invalid/generate_stream"))
        assert type(played.error) is ConnectError
        assert "proxy refused: check https_proxy" in str(played.error)
        assert str(played.error).endswith("(Tunnel connection failed: 407 Who?)")
        assert "password" not in str(played.error)

    @pytest.mark.parametrize(
        "where",
        ["canary@host:port", "canary@ho st:1", "canary@[::1:3", "canary@a..b:1", "canary#@127.0.0.1:9", "canary@"],
    )
    def test_a_proxy_that_is_no_url_is_a_setting_that_cannot_work(self, drive, proxies, where):
        """Its password is not in the message either."""
        proxies(http_proxy=f"http://user:{where}")
        played = drive(Endpoint(self.URL))
        assert isinstance(played.error, ConfigurationError)
        assert "http_proxy" in str(played.error)
        assert "canary" not in str(played.error)


def test_ipv6_is_spoken(drive):
    """With the brackets of its URLs in messages."""
    try:
        listener = socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError:
        pytest.skip("there is no IPv6 here")
    with listener:
        port = listener.getsockname()[1]
    played = drive(Endpoint(f"http://[::1]:{port}/", api="tgi"))
    assert f"http://[::1]:{port}/" in str(played.error)


def test_a_key_in_the_urls_query_is_sent_and_not_shown(drive):
    """Some gateways want it there."""
    with EmulatedEndpoint(respond=Response(status=401)) as server:
        played = drive(Endpoint(server.url + "/v1?key=hf_canary", api="chat", model="m"))
        assert server.requests[0].query == "key=hf_canary"
    assert type(played.error) is AuthenticationError
    assert "hf_canary" not in str(played.error)
