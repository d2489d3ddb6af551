"""Hosts, origins, keys: who may ask, and how the others are told."""

from __future__ import annotations

import hashlib

import pytest

from streamkit.errors import ConfigurationError
from streamkit.web.gateway import Settings

KEY = "a key of the shop"
PROMPT = {"inputs": "Lisbon?"}


@pytest.fixture
def keys(monkeypatch):
    """Two keys, by reference."""
    monkeypatch.setenv("SHOP_KEY", KEY)
    monkeypatch.setenv("BLOG_KEY", "another")
    return {"shop": {"env": "SHOP_KEY"}, "blog": {"env": "BLOG_KEY"}}


@pytest.fixture
def locked(serve, model, keys):
    """A gateway with keys."""
    with serve(model.url, keys=keys) as served:
        yield served


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "", "[::2]:80"])
def test_foreign_host_is_misdirected(gateway, model, host):
    """A page whose own name was made to point here gets nothing (DNS rebinding)."""
    reply = gateway.post("/generate", PROMPT, host=host)
    assert reply.status == 421
    assert not model.requests


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8080", "127.0.0.1:1", "[::1]:9"])
def test_own_names_are_served(gateway, host):
    """This machine's own names are known, with any port."""
    assert gateway.get("/health", host=host).status == 200


def test_named_host_is_served(serve, model):
    """A proxy's name is served once it is in the settings."""
    with serve(model.url, hosts=["llm.example"]) as served:
        assert served.get("/health", host="LLM.example").status == 200
        assert served.get("/health", host="llm.example.evil").status == 421


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://localhost.evil.example", "http://localhost:1"]
)
def test_foreign_page_is_forbidden(gateway, model, origin):
    """A page of another origin may not ask, not even by a request that browsers send unasked."""
    reply = gateway.post("/generate", PROMPT, origin=origin, host="localhost", content_type="text/plain")
    assert reply.status == 403
    assert "access-control-allow-origin" not in reply.headers
    assert not model.requests


def test_own_page_is_served(gateway):
    """A page of the gateway itself may ask."""
    assert gateway.post("/generate", PROMPT, origin="http://localhost:8080", host="localhost:8080").status == 200


def test_no_origin_is_shared_with_by_default(gateway):
    """A preflight from elsewhere is refused where no origin is named."""
    reply = gateway.ask("OPTIONS", "/v1/chat/completions", origin="https://app.example")
    assert reply.status == 403
    assert not [name for name in reply.headers if name.startswith("access-control")]


def test_named_origin_may_ask_and_read(serve, model):
    """A named origin gets a preflight with every header that it wants, and may read the answer."""
    with serve(model.url, origins=["https://app.example"]) as served:
        wanted = "authorization,content-type,user-agent,x-stainless-lang"
        preflight = served.ask(
            "OPTIONS",
            "/v1/chat/completions",
            origin="https://app.example",
            access_control_request_method="POST",
            access_control_request_headers=wanted,
        )
        reply = served.post("/generate_stream", PROMPT, origin="https://app.example")
        other = served.post("/generate_stream", PROMPT, origin="https://other.example")
    assert preflight.status == 204
    assert preflight.headers["access-control-allow-origin"] == "https://app.example"
    assert preflight.headers["access-control-allow-headers"] == wanted
    assert preflight.headers["access-control-allow-methods"] == "POST, OPTIONS"
    assert "access-control-allow-credentials" not in preflight.headers
    assert reply.status == 200
    assert reply.headers["access-control-allow-origin"] == "https://app.example"
    assert reply.headers["vary"] == "Origin"
    assert (other.status, other.headers["vary"]) == (403, "Origin")
    assert "access-control-allow-origin" not in other.headers


@pytest.mark.parametrize("origin", ["*", "app.example", "https://app.example/path", "https://", "ftp://a.example"])
def test_what_is_no_origin_is_a_mistake(origin):
    """Everybody is no origin, nor is a host or a page."""
    with pytest.raises(ConfigurationError, match="origin"):
        Settings(origins=[origin])


@pytest.mark.parametrize(
    "authorization", [None, "Bearer wrong", f"Basic {KEY}", KEY, "Bearer ", f"Bearer {KEY}x", "Bearer \xff\xfe"]
)
def test_wrong_key_is_unauthorized(locked, model, authorization):
    """Without the right key nothing reaches a model, and the client is told in its own protocol."""
    headers = {} if authorization is None else {"authorization": authorization}
    reply = locked.post("/v1/chat/completions", {"messages": [{"role": "user", "content": "x"}]}, **headers)
    assert reply.status == 401
    assert reply.headers["www-authenticate"] == "Bearer"
    assert reply.json["error"]["message"] == "The key is missing or wrong."
    assert not model.requests


@pytest.mark.parametrize("key", [KEY, "another"])
def test_each_key_opens(locked, key):
    """Every owner's key is good, and the scheme's case is nothing."""
    assert locked.post("/generate", PROMPT, authorization=f"bearer {key}").status == 200


@pytest.mark.parametrize("path", ["/info", "/v1/models", "/metrics", "/openapi.json"])
def test_pages_need_the_key(locked, path):
    """What the gateway tells of itself needs the key; its health does not."""
    assert locked.get(path).status == 401
    assert locked.get(path, authorization=f"Bearer {KEY}").status == 200
    assert locked.get("/health").status == 200


@pytest.mark.parametrize(
    "name", ["key", "api_key", "x-api-key", "apikey", "token", "hf_token", "access_token", "Authorization"]
)
def test_key_in_url_is_refused(locked, model, name):
    """A key in the URL is refused even if the right one is in the header, too."""
    reply = locked.post(f"/generate?{name}=x", PROMPT, authorization=f"Bearer {KEY}")
    assert reply.status == 400
    assert "does not belong in a URL" in reply.json["error"]
    assert not model.requests


def test_keys_are_compared_in_constant_time(locked, monkeypatch):
    """Each known key is compared by hmac.compare_digest, whichever of them is right."""
    compared = []
    monkeypatch.setattr("hmac.compare_digest", lambda a, b: compared.append((a, b)) or a == b)
    locked.post("/generate", PROMPT, authorization=f"Bearer {KEY}")
    assert [known for _, known in compared] == [hashlib.sha256(key.encode()).digest() for key in (KEY, "another")]


def test_keys_are_not_kept(keys):
    """The settings keep digests, and show not even those."""
    settings = Settings(keys=keys)
    assert KEY not in repr(settings) + str(settings.keys)
    assert "keys" not in repr(settings)


@pytest.mark.parametrize(
    "keys", [{"shop": "inline"}, {"shop": {"env": "NOT_SET_ANYWHERE"}}, {"sh op\n": {"env": "SHOP_KEY"}}, {"shop": {}}]
)
def test_key_is_a_reference(monkeypatch, keys):
    """A key comes from the environment only, and is there."""
    monkeypatch.setenv("SHOP_KEY", KEY)
    with pytest.raises(ConfigurationError) as caught:
        Settings(keys=keys)
    assert "inline" not in str(caught.value)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "gateway.example"])  # noqa: S104 - none is bound
def test_open_to_the_network_needs_a_key(host, keys):
    """Off this machine, a gateway without a key does not start."""
    with pytest.raises(ConfigurationError, match="there is no key"):
        Settings(host=host)
    assert not Settings(host=host, keys=keys).loopback


@pytest.mark.parametrize("header", ["Host: localhost", "Authorization: Bearer x", "Content-Length: 2", "Origin: null"])
def test_doubled_header_is_refused(gateway, model, header):
    """A header that decides something and is there twice is refused, whoever refuses it."""
    name, _, value = header.partition(": ")
    with gateway.connect() as connection:
        connection.send(
            f"POST /generate HTTP/1.1\r\nHost: localhost\r\n{name}: {value}\r\n{header}\r\n"
            "Connection: close\r\n\r\n{}".encode()
        )
        assert connection.reply().status == 400
    assert not model.requests


def test_unknown_paths_and_methods(gateway):
    """What is not there is 404, and what is asked wrongly 405 with what is right."""
    assert gateway.post("/nothing", {}).status == 404
    wrong = gateway.get("/generate")
    assert (wrong.status, wrong.headers["allow"]) == (405, "POST")
    assert gateway.ask("DELETE", "/").headers["allow"] == "GET, POST"
    assert gateway.ask("HEAD", "/health", connection="close").status == 200


def test_path_names_the_pipeline(serve, model, pipeline_to):
    """A base URL can name a pipeline, which requests of TGI cannot."""
    pipelines = {"first": pipeline_to("http://127.0.0.1:1"), "org/second": pipeline_to(model.url)}
    with serve(pipelines) as served:
        assert served.post("/org/second/generate", PROMPT).json == {"generated_text": "Take tram 28."}
        assert served.post("/org/second", PROMPT).json[0]["generated_text"].endswith("Take tram 28.")
        assert served.get("/org/second/info").json["model_id"] == "org/second"
        assert served.post("/generate", PROMPT).status == 502


@pytest.mark.parametrize("model_name", ["tgi", "dummy", "", None, "http://127.0.0.1:9/evil", "travel"])
def test_model_names_that_mean_the_default(gateway, model, model_name):
    """What clients of one model say means the default pipeline; a URL is only a name, and nobody contacts it."""
    body = {"model": model_name, "prompt": "x"}
    assert gateway.post("/v1/completions", body).json["model"] == "travel"
    assert len(model.requests) == 1
