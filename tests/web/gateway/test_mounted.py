"""The gateway as a part of another application, at a place of its own."""

from __future__ import annotations

import re
from urllib.parse import urljoin

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.testclient import TestClient

from streamkit.pipeline import Pipeline
from streamkit.testing import replay
from streamkit.web.gateway import Configuration, Gateway, Settings

QUESTION = {"inputs": "Lisbon?"}


@pytest.fixture
def gateway():
    """A gateway that says two tokens."""
    return Gateway(Configuration(Settings(), {"travel": Pipeline(replay(["Take", " tram"]))}))


@pytest.fixture
def client(gateway):
    """A client of the application in which it is mounted."""
    with TestClient(Starlette(routes=[Mount("/llm", app=gateway)]), base_url="http://localhost") as client:
        yield client


@pytest.mark.parametrize("path", ["/llm/generate", "/llm/travel/generate"])
def test_answers(client, path):
    """Routes are there below the place, with a pipeline's name and without."""
    assert client.post(path, json=QUESTION).json() == {"generated_text": "Take tram"}


def test_page_finds_its_files(client):
    """What the playground and the description refer to is below the place, too."""
    page = client.get("/llm/")
    named = re.findall(r'(?:href|src)="([^"]+)"', page.text)
    assert len(named) == 2
    for name in named:
        assert client.get(urljoin("/llm/", name)).status_code == 200
    (server,) = client.get("/llm/openapi.json").json()["servers"]
    assert client.post(urljoin("/llm/openapi.json", f"{server['url']}/generate"), json=QUESTION).status_code == 200


def test_elsewhere(client):
    """Above the place there is nothing."""
    assert client.post("/generate", json=QUESTION).status_code == 404


async def test_servers_that_take_the_place_off(gateway):
    """A path that does not begin with the place is taken as it is."""
    scope = {"type": "http", "method": "GET", "path": "/health", "root_path": "/llm", "query_string": b""}
    sent = []

    async def send(message):
        sent.append(message)

    await gateway({**scope, "headers": [(b"host", b"localhost")]}, None, send)
    assert sent[0]["status"] == 200
