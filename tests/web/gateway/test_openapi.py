"""`/openapi.json`, held to what the gateway answers."""

from __future__ import annotations

import itertools
import json
import re

import pytest

from streamkit.web.gateway.routes import ANSWERS, PAGES

ACTIONS = ("stream", "stop")


@pytest.fixture(scope="module", params=[True, False], ids=["resumable", "plain"])
def served(request, shared_model, serve):
    """A gateway that keeps answers, and one that keeps none."""
    with serve(shared_model.url, resumable=request.param) as gateway:
        yield gateway


def _is_served(gateway, method, path):
    """Tell whether a gateway knows a path and its method, by a question that cannot be answered."""
    return gateway.ask(method, path, b"no JSON" if method == "POST" else None).status not in {404, 405}


def test_lists_what_is_served_and_nothing_else(served):
    """Each path and method of the table of routes is described if and only if it is answered."""
    described = {
        (method.upper(), path)
        for path, methods in served.get("/openapi.json").json["paths"].items()
        for method in methods
    }
    kept = {f"{path}/{{id}}/{action}" for path, action in itertools.product(ANSWERS, ACTIONS)}
    tried = set(itertools.product(("GET", "POST"), {*ANSWERS, *PAGES, *kept}))
    assert described == {(method, path) for method, path in tried if _is_served(served, method, path.format(id="a/b"))}
    resumable = any("{id}" in path for _, path in described)
    assert resumable == bool(served.gateway.configuration.settings.resumable)


def test_references_lead_somewhere(served):
    """Each reference to a schema names one that is there, and each schema is referred to."""
    description = served.get("/openapi.json").json
    names = set(re.findall(r"#/components/schemas/(\w+)", json.dumps(description)))
    assert names == set(description["components"]["schemas"])
    assert {"ChatBody", "GenerateBody", "AiChat", "PlaygroundBody"} <= names


def test_paths_say_what_stands_in_them(served):
    """Each path with a place for an id describes it, and the routes whose answers are kept take one."""
    paths = served.get("/openapi.json").json["paths"]
    for path, methods in paths.items():
        for operation in methods.values():
            named = {each["name"] for each in operation.get("parameters", ()) if each["in"] == "path"}
            assert named == set(re.findall(r"{(\w+)}", path)), path
    for path in ANSWERS:
        takes_id = any(each["name"] == "x-stream-id" for each in paths[path]["post"].get("parameters", ()))
        assert takes_id == (
            f"{path}/{{id}}/stream" in paths or (path == "/" and "/generate_stream/{id}/stream" in paths)
        )
