"""An endpoint in a process of its own that speaks TGI's native protocol, one HTTP chunk for each token.

The path of a request says what it gets: `/blast/20000` that many tokens as fast as the socket takes them,
`/flush/20000` each token in a `send` of its own, `/hold/1` that many tokens and then silence until the client leaves.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from benchmarks._prose import texts

HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n"
    b"cache-control: no-cache\r\nconnection: keep-alive\r\n\r\n"
)
END = b"0\r\n\r\n"


@contextmanager
def endpoint() -> Iterator[str]:
    """Run the endpoint; gives its base URL."""
    process = subprocess.Popen([sys.executable, "-m", "benchmarks._endpoint"], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.terminate()
        process.wait()


@cache
def chunks(count: int) -> list[bytes]:
    """Return the HTTP chunks of an answer of so many tokens, the last one with the details."""
    tokens = texts(count)
    events = []
    for number, text in enumerate(tokens, 1):
        event: dict[str, object] = {
            "index": number,
            "token": {"id": number * 7 % 32000, "text": text, "logprob": -0.31640625, "special": False},
            "generated_text": None,
            "details": None,
        }
        if number == count:
            event["generated_text"] = "".join(tokens)
            event["details"] = {"finish_reason": "length", "generated_tokens": count, "seed": None}
        data = b"data:" + json.dumps(event, separators=(",", ":"), ensure_ascii=False).encode() + b"\n\n"
        events.append(b"%x\r\n%s\r\n" % (len(data), data))
    return events


def _answer(client: socket.socket) -> None:
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        with client, client.makefile("rb") as request:
            while line := request.readline():
                _, mode, count = line.split()[1].decode().split("/")
                length = 0
                while (header := request.readline()) not in (b"\r\n", b""):
                    if header.lower().startswith(b"content-length:"):
                        length = int(header[15:])
                request.read(length)
                body = chunks(int(count) + (mode == "hold"))
                if mode == "blast":
                    client.sendall(HEAD + b"".join(body) + END)
                    continue
                client.sendall(HEAD)
                for chunk in body[: int(count)]:
                    client.sendall(chunk)
                if mode == "hold":
                    client.recv(1)
                    return
                client.sendall(END)
    except OSError:
        pass  # the client left


def main() -> None:
    """Serve until terminated."""
    with socket.create_server(("127.0.0.1", 0), backlog=512) as server:
        print(server.getsockname()[1], flush=True)
        while True:
            client, _ = server.accept()
            threading.Thread(target=_answer, args=(client,), daemon=True).start()


if __name__ == "__main__":
    main()
