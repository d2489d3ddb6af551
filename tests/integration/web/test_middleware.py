"""FastAPI with middleware of its usual kinds, through which every message of a response passes."""

import pytest

from integration.web.servers import on_uvicorn
from integration.web.sites import Site, fastapi_app
from streamkit.web import starlette


@pytest.fixture(params=["function", "gzip", "cors"])
def site(request):
    """A site of FastAPI's with one middleware."""
    from starlette.middleware.cors import CORSMiddleware
    from starlette.middleware.gzip import GZipMiddleware

    made = Site(starlette, True, True, True)  # noqa: FBT003 - as the fixture of all frameworks makes it
    app = fastapi_app(made)
    if request.param == "function":

        @app.middleware("http")
        async def passes(request, call_next):
            return await call_next(request)

    elif request.param == "gzip":
        app.add_middleware(GZipMiddleware)
    else:
        app.add_middleware(CORSMiddleware, allow_origins=["*"])
    with on_uvicorn(app, http="httptools") as port:
        made.port = port
        yield made


def test_tokens_arrive_one_by_one(site, model, source):
    """Nothing is held back, and nothing is compressed."""
    server = model(["one", " two", " three"], gate=True)
    site.view = lambda: starlette.TgiResponse(site.stream(source(server)))
    with site.ask() as client:
        for word in (b"one", b" two", b" three"):
            server.release()
            client.until(word)
        assert client.complete
        assert "content-encoding" not in client.headers


def test_a_client_that_leaves_ends_the_run_at_any_moment(site, model, source):
    """Before the first token, and after it."""
    server = model(["one", " two"], gate=True)
    site.view = lambda: starlette.TgiResponse(site.stream(source(server)))
    with site.ask():
        first = server.wait_for_request()
    assert first.client_left.wait(1.0)
    server.release()
    with site.ask() as client:
        client.until(b"one")
    assert server.requests[1].client_left.wait(1.0)


def test_a_refusal_keeps_its_status(site, model, source):
    """An error before the first byte is an HTTP error behind middleware, too."""
    server = model(api_key="right")
    site.view = lambda: starlette.UIMessageResponse(site.stream(source(server)))
    with site.ask() as client:
        assert client.status == 502
        assert client.rest() == b"An error occurred."
