"""vLLM and a hosted provider, where they agree and where they do not."""

import pytest

from streamkit.testing import EmulatedEndpoint, ScriptedToken

SCRIPT = ["Hello", " wor", "ld!", ScriptedToken("</s>", special=True)]
CHAT = {"model": "emulated/tiny", "messages": [{"role": "user", "content": "Hi"}], "stream": True}


@pytest.fixture(scope="module")
def vllm():
    """Return an endpoint that presents itself as vLLM."""
    with EmulatedEndpoint(SCRIPT, engine="vllm", max_total_tokens=100) as server:
        yield server


@pytest.fixture(scope="module")
def provider():
    """Return an endpoint that presents itself as a hosted provider."""
    with EmulatedEndpoint(SCRIPT, engine="openai", max_total_tokens=100) as server:
        yield server


@pytest.fixture(params=["vllm", "provider"])
def either(request):
    """Return both in turn."""
    return request.getfixturevalue(request.param)


class TestBoth:
    """Where vLLM and a provider agree."""

    def test_the_role_comes_first_and_the_reason_last(self, post, either):
        """Each in a chunk of its own, with an id that is the answer's."""
        *chunks, end = post(either, "/v1/chat/completions", CHAT).events
        assert end == "[DONE]"
        assert [chunk["choices"][0]["delta"] for chunk in chunks] == [
            {"role": "assistant", "content": ""},
            {"content": "Hello"},
            {"content": " wor"},
            {"content": "ld!"},
            {},
        ]
        assert [chunk["choices"][0]["finish_reason"] for chunk in chunks] == [None] * 4 + ["stop"]
        assert len({chunk["id"] for chunk in chunks}) == 1

    def test_the_stop_string_is_withheld(self, post, either):
        """It may span tokens, and the reason does not tell it from an ordinary end."""
        *chunks, _ = post(either, "/v1/chat/completions", {**CHAT, "stop": "world"}).events
        assert "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in chunks) == "Hello "
        assert chunks[-1]["choices"][0]["finish_reason"] == "stop"

    def test_the_limit_is_reported(self, post, either):
        """The newer name of the limit goes before the older."""
        *_, finish, _ = post(
            either, "/v1/chat/completions", {**CHAT, "max_tokens": 9, "max_completion_tokens": 1}
        ).events
        assert finish["choices"][0]["finish_reason"] == "length"

    def test_usage_comes_in_a_chunk_of_its_own_when_asked_for(self, post, either):
        """It has no choices and precedes the end mark."""
        body = {**CHAT, "stream_options": {"include_usage": True}}
        *_, usage, _ = post(either, "/v1/chat/completions", body).events
        assert (usage["choices"], usage["usage"]["completion_tokens"]) == ([], 4)

    def test_logprobs_come_when_asked_for(self, post, either):
        """With the token's bytes."""
        events = post(either, "/v1/chat/completions", {**CHAT, "logprobs": True}).events
        (entry,) = events[1]["choices"][0]["logprobs"]["content"]
        assert (entry["token"], entry["bytes"]) == ("Hello", list(b"Hello"))

    def test_without_streaming_the_answer_is_one_document(self, post, either):
        """With the counts."""
        document = post(either, "/v1/chat/completions", {**CHAT, "stream": False}).json
        assert document["object"] == "chat.completion"
        assert document["choices"][0]["message"]["content"] == "Hello world!"
        assert document["usage"]["completion_tokens"] == 4

    @pytest.mark.parametrize(
        "fields",
        [
            {"temperature": -1},
            {"top_p": 0},
            {"max_tokens": 0},
            {"max_tokens": 101},
            {"stop": [""]},
            {"n": 2},
            {"messages": []},
            {"messages": 3},
        ],
    )
    def test_a_mistake_has_a_status_before_the_stream(self, post, either, fields):
        """400, with a message."""
        answer = post(either, "/v1/chat/completions", {**CHAT, **fields})
        assert answer.status == 400
        assert answer.json["error"]["message"]

    def test_the_native_route_of_tgi_does_not_exist(self, post, either):
        """Each engine has its own routes only."""
        assert post(either, "/generate_stream", {"inputs": "Hi"}).status == 404


class TestVllm:
    """What is vLLM's own."""

    @pytest.mark.parametrize("model", ["dummy", None])
    def test_another_model_or_none_is_not_found(self, post, vllm, model):
        """The error is nested and carries its status."""
        answer = post(vllm, "/v1/chat/completions", {**CHAT, "model": model})
        assert answer.status == 404
        assert (answer.json["error"]["type"], answer.json["error"]["code"]) == ("NotFoundError", 404)

    def test_the_finish_chunk_names_the_stop_string(self, post, vllm):
        """And is the only one with a fingerprint."""
        *chunks, _ = post(vllm, "/v1/chat/completions", {**CHAT, "stop": ["world"]}).events
        assert chunks[-1]["choices"][0]["stop_reason"] == "world"
        assert ["system_fingerprint" in chunk for chunk in chunks] == [False] * (len(chunks) - 1) + [True]

    def test_completions(self, post, vllm):
        """The reason comes with the last chunk, whose text may be empty."""
        body = {"model": "emulated/tiny", "prompt": "Hi", "stream": True}
        *chunks, end = post(vllm, "/v1/completions", body).events
        assert [chunk["choices"][0]["text"] for chunk in chunks] == ["Hello", " wor", "ld!", ""]
        assert (chunks[-1]["choices"][0]["finish_reason"], end) == ("stop", "[DONE]")
        assert post(vllm, "/v1/completions", {**body, "stream": False}).json["choices"][0]["text"] == "Hello world!"

    def test_what_it_says_of_itself(self, get, vllm):
        """Its models are vLLM's, and its version is an emulator's."""
        assert get(vllm, "/v1/models").json["data"][0]["owned_by"] == "vllm"
        assert "emulator" in get(vllm, "/version").json["version"]
        assert get(vllm, "/health").status == 200

    def test_the_key_guards_v1(self, get):
        """The refusal is not shaped as other errors are."""
        with EmulatedEndpoint(SCRIPT, engine="vllm", api_key="k") as server:
            refused = get(server, "/v1/models")
            assert (refused.status, refused.json) == (401, {"error": "Unauthorized"})
            assert get(server, "/v1/models", Authorization="Bearer k").status == 200
            assert get(server, "/health").status == 200


class TestProvider:
    """What is a provider's own."""

    def test_it_has_chat_only(self, post, provider):
        """As hosted providers do."""
        assert post(provider, "/v1/completions", {"model": "emulated/tiny", "prompt": "Hi"}).status == 404

    def test_every_chunk_has_a_fingerprint_and_none_a_stop_reason(self, post, provider):
        """The fingerprint is the emulator's."""
        *chunks, _ = post(provider, "/v1/chat/completions", CHAT).events
        assert {chunk["system_fingerprint"] for chunk in chunks} == {"streamkit-emulator"}
        assert "stop_reason" not in chunks[-1]["choices"][0]

    @pytest.mark.parametrize(("model", "status", "code"), [("x", 404, "model_not_found"), (None, 400, None)])
    def test_another_model_or_none(self, post, provider, model, status, code):
        """The two are told apart."""
        answer = post(provider, "/v1/chat/completions", {**CHAT, "model": model})
        assert (answer.status, answer.json["error"]["code"]) == (status, code)

    def test_a_wrong_key_is_not_repeated(self, post):
        """The error has OpenAI's code and not the key."""
        with EmulatedEndpoint(SCRIPT, engine="openai", api_key="right") as server:
            answer = post(server, "/v1/chat/completions", CHAT, Authorization="Bearer wrong-secret")
        assert (answer.status, answer.json["error"]["code"]) == (401, "invalid_api_key")
        assert "wrong-secret" not in answer.text
