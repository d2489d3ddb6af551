"""A bad network, seen by sockets on both sides of it."""

import socket
import threading
import time
from contextlib import contextmanager, suppress

import pytest

from streamkit.errors import ConfigurationError
from streamkit.testing import ChaosProxy, EmulatedEndpoint, NoLeaks

PATIENCE = 5


@contextmanager
def upstream():
    """A listening socket and the URL of it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(PATIENCE)
        yield listener, f"http://127.0.0.1:{listener.getsockname()[1]}"


@contextmanager
def through(**chaos):
    """A client's and a server's socket with a proxy between them."""
    with upstream() as (listener, url), ChaosProxy(url, **chaos) as proxy:
        port = int(proxy.url.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as client, listener.accept()[0] as server:
            server.settimeout(PATIENCE)
            yield client, server


def read(connection, size):
    """Read some bytes, all of them."""
    data = b""
    while len(data) < size:
        data += connection.recv(size - len(data))
    return data


def test_bytes_go_through_in_both_directions():
    """Without any option it is a plain proxy."""
    with through() as (client, server):
        client.sendall(b"ping")
        assert read(server, 4) == b"ping"
        server.sendall(b"pong" * 50_000)
        assert read(client, 200_000) == b"pong" * 50_000


@pytest.mark.parametrize("leaver", ["client", "server"])
def test_a_side_that_closes_is_told_to_the_other(leaver):
    """A reader sees the end, after everything that was sent."""
    with through() as (client, server):
        leaves, stays = (client, server) if leaver == "client" else (server, client)
        leaves.sendall(b"bye")
        leaves.shutdown(socket.SHUT_WR)
        assert read(stays, 3) == b"bye"
        assert stays.recv(1) == b""


def test_a_slice_arrives_alone():
    """No read sees more than a slice, since the next one is late."""
    with through(slice_bytes=3, latency=0.01) as (client, server):
        server.sendall(b"abcdefgh")
        assert [client.recv(100) for _ in range(3)] == [b"abc", b"def", b"gh"]


def test_latency_delays_each_piece():
    """The first byte comes late."""
    with through(latency=0.1) as (client, server):
        server.sendall(b"x")
        sent = time.monotonic()
        client.recv(1)
        assert time.monotonic() - sent >= 0.09


def test_bandwidth_is_what_it_says():
    """Twice the bytes of a tenth of a second take at least that tenth."""
    with through(bandwidth=100_000, slice_bytes=1000) as (client, server):
        server.sendall(b"x" * 20_000)
        sent = time.monotonic()
        read(client, 20_000)
        assert time.monotonic() - sent >= 0.1


def test_a_reset_comes_after_the_bytes_before_it():
    """The client gets exactly those, and then an error."""
    with through(reset_after=5) as (client, server):
        server.sendall(b"abcdefgh")
        assert read(client, 5) == b"abcde"
        with pytest.raises(ConnectionResetError):
            client.recv(1)
        assert server.recv(1) == b""


def test_a_half_open_connection_says_nothing_at_all():
    """No byte and no end, though the server goes on and then closes."""
    with through(half_open_after=5) as (client, server):
        server.sendall(b"abcdefgh")
        assert read(client, 5) == b"abcde"
        server.shutdown(socket.SHUT_RDWR)
        client.sendall(b"anyone?")
        client.settimeout(0.1)
        with pytest.raises(TimeoutError):
            client.recv(1)


def test_a_server_that_is_not_there_ends_the_connection():
    """The proxy cannot refuse it any more, so it closes it."""
    with upstream() as (listener, url), ChaosProxy(url) as proxy:
        listener.close()
        port = int(proxy.url.rpartition(":")[2])
        with (
            socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as client,
            suppress(ConnectionResetError),
        ):
            assert client.recv(1) == b""


def test_leaving_the_block_leaves_nothing_behind():
    """Not even with connections that are half open, and clients that wait."""
    seen = []
    with EmulatedEndpoint(["a", "b"], gate=True) as server, NoLeaks():
        with ChaosProxy(server.url, half_open_after=1) as proxy:
            port = int(proxy.url.rpartition(":")[2])
            client = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
            client.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
            assert read(client, 1) == b"H"
            waiting = threading.Thread(target=lambda: seen.append(client.recv(1)))
            waiting.start()
        waiting.join(PATIENCE)
        client.close()
    assert seen in ([b""], [])


def test_the_path_of_the_server_stays():
    """A proxy stands for a URL, not only for a host."""
    with upstream() as (_, url), ChaosProxy(f"{url}/v1") as proxy:
        assert proxy.url.endswith("/v1")


def test_it_has_no_address_before_it_runs():
    """The error says what to do."""
    with pytest.raises(RuntimeError, match="with statement"):
        _ = ChaosProxy("http://127.0.0.1:1").url


@pytest.mark.parametrize("option", ["slice_bytes", "bandwidth", "reset_after", "half_open_after"])
def test_impossible_numbers_are_refused(option):
    """A slice of nothing would never end."""
    with pytest.raises(ConfigurationError, match=option):
        ChaosProxy("http://127.0.0.1:1", **{option: 0})
