"""Each framework behind its real server; a test says what its one view returns."""

from __future__ import annotations

import types
from collections.abc import Callable

import attrs

from integration.web.client import Client
from integration.web.servers import on_uvicorn, on_werkzeug, on_wsgiref
from streamkit import Pipeline


@attrs.define(eq=False)
class Site:
    """A framework behind a server.

    Attributes:
        responses: The module with its responses.
        asynchronous: Whether its streams are read by the asynchronous driver.
        sees_leaving: Whether the server tells that a client has left before anything is written to it.
        frames: Whether the server chunks what it sends to HTTP/1.0 clients, too, as nginx is by itself; without that
            the end of a body is the end of the connection, and nobody can tell a cut.
        view: What the one view does; set by the test.
    """

    responses: types.ModuleType
    asynchronous: bool
    sees_leaving: bool
    frames: bool
    port: int = 0
    view: Callable[[], object] | None = None

    def stream(self, source, question="Hi", **parameters):
        """Ask, in the site's colour."""
        pipeline = source if isinstance(source, Pipeline) else Pipeline(source)
        return (pipeline.astream if self.asynchronous else pipeline.stream)(question, **parameters)

    def ask(self, *, buffer=None):
        """Send a request, and return the client."""
        return Client(self.port, buffer)


def starlette_app(site):
    """Return an application of Starlette's."""
    from starlette.applications import Starlette
    from starlette.routing import Route

    async def view(request):
        return site.view()

    return Starlette(routes=[Route("/", view)])


def fastapi_app(site):
    """Return an application of FastAPI's."""
    from fastapi import FastAPI

    app = FastAPI()

    @app.get("/")
    async def view():
        return site.view()

    return app


def asgi_app(site):
    """Return an application without a framework."""

    async def app(scope, receive, send):
        await site.view()(scope, receive, send)

    return app


def flask_app(site):
    """Return an application of Flask's."""
    from flask import Flask

    app = Flask("site")

    @app.get("/")
    def view():
        return site.view()

    return app


def django_apps(site, *, asynchronous_view):
    """Return applications of Django's, for ASGI and WSGI, which compress what they may."""
    import django
    from django.conf import settings
    from django.core.handlers.asgi import ASGIHandler
    from django.core.handlers.wsgi import WSGIHandler
    from django.urls import clear_url_caches, path
    from django.views.decorators.gzip import gzip_page

    @gzip_page
    async def aview(request):
        return site.view()

    @gzip_page
    def view(request):
        return site.view()

    urls = types.ModuleType("urls")
    urls.urlpatterns = [path("", aview if asynchronous_view else view)]
    if not settings.configured:
        settings.configure(
            ALLOWED_HOSTS=["*"],
            SECRET_KEY="none",
            LOGGING_CONFIG=None,
        )
        django.setup()
    settings.MIDDLEWARE = ["django.middleware.common.CommonMiddleware", "django.middleware.gzip.GZipMiddleware"]
    settings.ROOT_URLCONF = urls
    clear_url_caches()
    return ASGIHandler, WSGIHandler


SITES = {
    "starlette": ("starlette", True, True, lambda site: on_uvicorn(starlette_app(site), http="httptools")),
    "fastapi": ("starlette", True, False, lambda site: on_uvicorn(fastapi_app(site), http="h11")),
    "asgi": ("asgi", True, True, lambda site: on_uvicorn(asgi_app(site), loop="uvloop")),
    "django-asgi": ("django", True, True, lambda site: on_uvicorn(django_apps(site, asynchronous_view=True)[0]())),
    "django-asgi-sync-view": (
        "django",
        True,
        True,
        lambda site: on_uvicorn(django_apps(site, asynchronous_view=False)[0]()),
    ),
    "django-wsgi": ("django", False, False, lambda site: on_wsgiref(django_apps(site, asynchronous_view=False)[1]())),
    "django-wsgi-async-view": (
        "django",
        False,
        False,
        lambda site: on_wsgiref(django_apps(site, asynchronous_view=True)[1]()),
    ),
    "flask": ("wsgi", True, True, lambda site: on_werkzeug(flask_app(site))),
}
"""Of each site: the module of its responses, `sees_leaving`, `frames`, and how to serve it."""
