"""Each framework behind its real server, a client that is a bare socket, and an emulated endpoint as the model.

A test says what a view returns, by `site.view`, and asks the site as clients do.
"""

import importlib
import json

import pytest

from integration.web.sites import SITES, Site
from streamkit import Endpoint
from streamkit.testing import EmulatedEndpoint


@pytest.fixture(scope="module", params=[f"{name}, {colour}" for name in SITES for colour in ("async", "sync")])
def site(request):
    """Each framework behind its server, with streams of each colour."""
    name, colour = request.param.split(", ")
    module, sees_leaving, frames, serve = SITES[name]
    responses = importlib.import_module(f"streamkit.web.{module}")
    made = Site(responses, colour == "async", sees_leaving, frames)
    with serve(made) as port:
        made.port = port
        yield made


@pytest.fixture
def model():
    """Start models, and return them: `model(script, ...)`."""
    started = []

    def start(*arguments, **options):
        server = EmulatedEndpoint(*arguments, **options).start()
        started.append(server)
        return server

    yield start
    for server in started:
        server.stop()


@pytest.fixture
def source():
    """Return the source of a model."""
    return lambda server: Endpoint(server.url, api="tgi")


@pytest.fixture(scope="session")
def parts():
    """Return the objects in a body of server-sent events."""

    def parse(body):
        lines = [line[6:] for line in body.decode().split("\n\n") if line.startswith("data: ")]
        return [line if line == "[DONE]" else json.loads(line) for line in lines]

    return parse
