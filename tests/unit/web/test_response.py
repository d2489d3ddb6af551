"""What every response is made of."""

import importlib

import pytest

from streamkit import ConfigurationError, Pipeline, from_iterable

MODULES = ["asgi", "starlette", "wsgi"]
NAMES = [
    "StreamingTextResponse",
    "UIMessageResponse",
    "OpenAIChatResponse",
    "OpenAICompletionsResponse",
    "TgiResponse",
    "NdjsonResponse",
]


@pytest.fixture(params=MODULES)
def responses(request):
    """Each module that needs no settings."""
    return importlib.import_module(f"streamkit.web.{request.param}")


@pytest.mark.parametrize("module", [*MODULES, "django"])
def test_every_module_has_every_response(module):
    """The names are the same everywhere."""
    found = importlib.import_module(f"streamkit.web.{module}")
    assert all(issubclass(getattr(found, name), found.StreamResponse) for name in NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_pipeline_is_not_a_stream(responses, name):
    """The message says what to write."""
    with pytest.raises(ConfigurationError, match=r"pass pipeline.astream\(question\)"):
        getattr(responses, name)(Pipeline(from_iterable([])))


def test_other_things_are_not_streams(responses):
    """A generator has no result, and no source to close."""
    with pytest.raises(ConfigurationError, match="is not a stream"):
        responses.StreamingTextResponse(iter(["a"]))


@pytest.mark.parametrize("option", ["keep_alive", "send_timeout"])
def test_times_are_more_than_nothing(responses, option):
    """Zero seconds of patience would be no stream."""
    with pytest.raises(ValueError, match=option):
        responses.TgiResponse(Pipeline(from_iterable([])).stream(), **{option: 0})


def test_unknown_options_are_refused(responses):
    """A slip of the pen does not pass for a setting."""
    with pytest.raises(TypeError):
        responses.TgiResponse(Pipeline(from_iterable([])).stream(), keepalive=3)


def test_nothing_is_asked_before_the_response_is_sent(responses):
    """A response that is thrown away costs nothing."""

    def never():
        pytest.fail("the source was read")
        yield

    responses.TgiResponse(Pipeline(from_iterable(never())).stream())


@pytest.mark.parametrize("headers", [{"x-title": "a\r\nset-cookie: b"}, {"x-title": "a\n"}, {"x\n": "a"}, {"x": "a\0"}])
def test_a_header_with_a_line_end_is_refused_where_it_is_made(responses, headers):
    """The server would refuse it when the answer begins, and the client would get nothing."""
    stream = Pipeline(from_iterable([])).stream()
    with pytest.raises(ConfigurationError, match="has a line end in it"):
        responses.StreamingTextResponse(stream, headers=headers)
