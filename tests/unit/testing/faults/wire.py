"""A bare socket that asks a server with a fault, and reads what exactly comes."""

import json
import re
import socket
from contextlib import contextmanager

import attrs

from streamkit.testing import EmulatedEndpoint, Fault, ScriptedToken

EOS = ScriptedToken("</s>", special=True)
SCRIPT = ["one", " two", " three", EOS]
PATIENCE = 5
CANARY = "hf_canary"


@attrs.frozen
class Wire:
    """A connection as a client without an HTTP library sees it."""

    socket: object

    def read(self):
        """Read until the connection ends or says nothing for a moment; return the bytes and how it was."""
        data = b""
        try:
            while chunk := self.socket.recv(65536):
                data += chunk
        except ConnectionResetError:
            return data, "rst"
        except TimeoutError:
            return data, "open"
        return data, "fin"


@contextmanager
def asked(fault, *, path="/generate_stream", body=None, token=CANARY, script=SCRIPT, engine="tgi", wait=PATIENCE):
    """Ask a server with a fault over a bare socket."""
    raw = json.dumps(body or {"inputs": "Hi", "parameters": {"details": True}}).encode()
    with EmulatedEndpoint(script, engine=engine, faults=[fault] if isinstance(fault, Fault) else fault) as server:
        port = int(server.url.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port), timeout=wait) as connection:
            head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
            head += f"Authorization: Bearer {token}\r\nConnection: close\r\nContent-Length: {len(raw)}\r\n\r\n"
            connection.sendall(head.encode() + raw)
            yield Wire(connection)


def whole(fault, **options):
    """Return the head, the body without its chunks, how the connection ended, and whether the body did."""
    with asked(fault, **options) as wire:
        data, end = wire.read()
    head, _, body = data.partition(b"\r\n\r\n")
    if b"chunked" not in head:
        return head.decode(), body, end, True
    pieces, ended = [], False
    while body:
        size, _, body = body.partition(b"\r\n")
        if not int(size, 16):
            ended = True
            break
        pieces.append(body[: int(size, 16)])
        body = body[int(size, 16) + 2 :]
    return head.decode(), b"".join(pieces), end, ended


def texts(body):
    """Return the tokens' texts of TGI's events, and the errors."""
    found = []
    for line in body.decode().split("\n"):
        if line.startswith("data: {"):
            event = json.loads(line[6:])
            found.append(event["token"]["text"] if "token" in event else event)
    return found


def status(head):
    """Return the status of a head."""
    return int(head.split()[1])


def header(head, name):
    """Return the value of a header."""
    return re.search(rf"(?im)^{name}: (.*?)\r?$", head)[1]
