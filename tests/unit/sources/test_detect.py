"""What a server is, by its list of models."""

from types import SimpleNamespace

import msgspec
import pytest

from streamkit.errors import (
    AuthenticationError,
    ConfigurationError,
    FormatError,
    OverloadedError,
    RateLimitError,
)
from streamkit.sources import _detect
from streamkit.sources._answers import Answer
from streamkit.sources._credentials import Secret
from streamkit.sources._detect import Server, choose, introduced, known_lately, recognise

URL = "https://h/v1/models"


def models(*entries):
    """Return a list of models as a body."""
    return msgspec.json.encode({"object": "list", "data": list(entries)})


def look(status=200, body=b"", **headers):
    """Recognise a server by its answer."""
    return recognise(Answer(status=status, headers=headers, body=body), URL, ["hf_x"])


def test_a_model_that_owns_itself_is_tgis():
    """Its router has no better word for the owner."""
    assert look(body=models({"id": "a/b", "owned_by": "a/b"})) == Server(dialect="tgi", models=("a/b",))


@pytest.mark.parametrize("owner", ["vllm", "sglang", "llamacpp", "library", None, 7])
def test_any_other_owner_speaks_openais_dialect(owner):
    """Whatever it is called."""
    assert look(body=models({"id": "a/b", "owned_by": owner})) == Server(dialect="completions", models=("a/b",))


def test_models_without_a_name_do_not_count():
    """There is nothing to ask them by."""
    assert look(body=models({}, {"id": "a"})) == Server(dialect="completions", models=("a",))


@pytest.mark.parametrize("status", [301, 400, 404, 405])
def test_a_server_without_the_route_is_an_older_tgi(status):
    """It speaks the native protocol only."""
    assert look(status) == Server(dialect="tgi")


@pytest.mark.parametrize(
    ("status", "kind"),
    [(401, AuthenticationError), (403, AuthenticationError), (408, OverloadedError), (503, OverloadedError)],
)
def test_a_refusal_is_an_error(status, kind):
    """The token that the server echoes is not in it."""
    with pytest.raises(kind) as caught:
        look(status, b"no hf_x")
    assert "hf_x" not in str(caught.value)


def test_a_refusal_says_how_long_to_wait():
    """As one of a question does."""
    with pytest.raises(RateLimitError) as caught:
        look(429, **{"retry-after": "3"})
    assert caught.value.retry_after == 3


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b"{}", b'{"error":"no"}', b'{"data":7}', b'{"data":[{"id":"\xff"}]}', b"[" * 9999]
)
def test_something_else_is_no_list_of_models(body):
    """A web page, another service."""
    with pytest.raises(FormatError, match="not a list of models"):
        look(body=body)


@pytest.mark.parametrize(
    ("status", "body", "models"),
    [
        (200, b'{"model_id":"a/b","version":"2.0.4"}', ("a/b",)),
        (200, b"{}", ()),
        (200, b"<html>", ()),
        (200, b'{"model_id":7}', ()),
        (404, b'{"model_id":"a/b"}', ()),
    ],
)
def test_an_older_tgi_introduces_its_model(status, body, models):
    """Another server without a list of models has nothing to say, and speaks TGI's native API all the same."""
    assert introduced(Answer(status=status, headers={}, body=body)) == Server(dialect="tgi", models=models)


class TestKnownLately:
    """What one-liners share."""

    @pytest.fixture(autouse=True)
    def clock(self, monkeypatch):
        """The time, which stands still."""
        monkeypatch.setattr(_detect, "time", SimpleNamespace(monotonic=lambda: 0.0))

    def test_it_is_shared_by_url_and_token(self):
        """Equal tokens are one."""
        known = known_lately(URL, Secret("hf_x"))
        assert known_lately(URL, Secret("hf_x")) is known
        others = [known_lately(URL, Secret("hf_y")), known_lately(URL, None), known_lately(f"{URL}/x", Secret("hf_x"))]
        assert known not in others

    def test_it_is_bounded(self):
        """A program that asks a thousand servers does not keep them all."""
        for number in range(1000):
            known_lately(f"https://h/{number}", None)
        assert _detect._kept.cache_info().currsize <= 64


class TestChoose:
    """The model to ask."""

    def test_the_only_one_is_chosen(self):
        """Nobody need name it."""
        assert choose(("a",), URL) == "a"

    def test_of_several_the_caller_must_name_one(self):
        """The first five are listed."""
        with pytest.raises(ConfigurationError, match=r"\(a, b, c, d, e, \.\.\.\): say which with model="):
            choose(tuple("abcdef"), URL)

    def test_of_none_the_caller_must_name_one(self):
        """An older server does not say what it serves."""
        with pytest.raises(ConfigurationError, match="no model by name"):
            choose((), URL)
