"""The page's files and its route, as a client sees them."""

from __future__ import annotations

import json
import re

import pytest
import urllib3

from streamkit.testing import EmulatedEndpoint, ScriptedToken
from streamkit.web.playground.assets import ASSETS, read


def _messages(body):
    return [json.loads(line[6:]) for line in body.decode().split("\n\n") if line]


@pytest.fixture
def post(open_site):
    """Ask a gateway in front of a model that says two tokens, on the page's route."""
    with EmulatedEndpoint(["Hi", " you", ScriptedToken("</s>", special=True)]) as model, open_site(model) as site:
        yield lambda body: urllib3.request("POST", f"{site.url}/playground/stream", json=body, retries=False)


@pytest.mark.parametrize("path", ASSETS)
def test_files_are_served_with_a_policy(open_site, path):
    """Every file says what it is, and that nothing may come from elsewhere or be written inline."""
    with EmulatedEndpoint() as model, open_site(model) as site:
        response = urllib3.request("GET", f"{site.url}{path}")
    assert response.status == 200
    assert response.headers["content-type"] == ASSETS[path][1]
    assert response.headers["x-content-type-options"] == "nosniff"
    policy = response.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'")
    assert "unsafe" not in policy


def test_page_obeys_its_own_policy():
    """There is no inline script or style, nothing from elsewhere, and no HTML is made of text."""
    html, script = read("page.html").decode(), (read("page.js") + read("view.js")).decode()
    assert not re.search(r"\son\w+=|\sstyle=|<style|<script(?! type=\"module\" src=)|https?:", html)
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval|new Function", script)
    assert not re.search(r"https?:(?!//www\.w3\.org/2000/svg)", script)


def test_stream_of_steps(post):
    """Each token comes with its text and its fate, and the last message says how it ended."""
    *steps, end = _messages(post({"prompt": "Hi"}).data)
    tokens = {}
    for step in steps:
        for each in step["tokens"]:
            tokens.setdefault(each["n"], {}).update(each)
    assert "".join(step["texts"].get("text", "") for step in steps) == "Hi you"
    assert [(each["text"], each["fate"]) for each in tokens.values()] == [
        ("Hi", "passed"),
        (" you", "passed"),
        ("</s>", "hidden"),
    ]
    assert end | {"seconds": 0, "first_token": 0} == {
        "type": "finish",
        "outcome": "completed",
        "reason": "eos_token",
        "seconds": 0,
        "first_token": 0,
        "tokens": 3,
    }


@pytest.mark.parametrize(
    ("body", "status"),
    [({"prompt": ""}, 422), ({}, 422), ({"prompt": "x", "model": "none"}, 404), ([], 422)],
)
def test_refusals_are_told(post, body, status):
    """What cannot be asked has a status and a sentence."""
    response = post(body)
    assert response.status == status
    assert json.loads(response.data)["error"]


def test_chat_asks_with_a_message(open_site):
    """With `chat`, the prompt is a user's message."""
    with EmulatedEndpoint(["Hi"]) as model, open_site(model) as site:
        urllib3.request("POST", f"{site.url}/playground/stream", json={"prompt": "Hello", "chat": True})
        assert model.requests[-1].body["messages"] == [{"role": "user", "content": "Hello"}]
