"""A gateway on a real uvicorn, in a thread."""

import threading
from contextlib import contextmanager

from streamkit.web.gateway import Configuration, Gateway
from streamkit.web.gateway.server import Server, listen

PATIENCE = 5.0  # seconds until a test that waits for something gives up


@contextmanager
def running(pipelines, settings):
    """Run a gateway; yield it, its server and the socket where it listens."""
    gateway = Gateway(Configuration(settings, pipelines))
    listening = listen(settings)
    started = threading.Event()
    server = Server(gateway, settings, lambda _url: started.set())
    thread = threading.Thread(target=server.run, args=([listening],), name="gateway")
    thread.start()
    try:
        assert started.wait(PATIENCE)
        yield gateway, server, listening
    finally:
        server.should_exit = True
        thread.join(PATIENCE + settings.grace)
        listening.close()
        assert not thread.is_alive()
