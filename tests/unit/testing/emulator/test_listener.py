"""The listening socket loses nothing when it closes."""

import asyncio
import socket

from streamkit.testing.emulator.listener import Listener


class Greeter(asyncio.Protocol):
    """Says hello and hangs up."""

    def connection_made(self, transport):
        """Greet."""
        transport.write(b"hello")
        transport.close()


async def test_connections_are_handed_to_a_protocol():
    """Any number of them, on a port of its own."""
    listener = Listener(Greeter)
    for _ in range(3):
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        assert await reader.read() == b"hello"
        writer.close()
        await writer.wait_closed()
    await listener.close()


async def test_a_connection_accepted_while_it_closes_is_served():
    """It reached its protocol although the listener closed before the loop could turn."""
    listener = Listener(Greeter)
    with socket.create_connection(("127.0.0.1", listener.port)) as client:
        listener._accept()
        await listener.close()
        client.settimeout(0)
        assert await asyncio.get_running_loop().sock_recv(client, 5) == b"hello"


async def test_nobody_there_is_no_error():
    """A client may have gone before it was accepted."""
    listener = Listener(Greeter)
    listener._accept()
    await listener.close()
