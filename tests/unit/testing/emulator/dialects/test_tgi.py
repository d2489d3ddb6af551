"""TGI's native API, its errors and its other routes."""

import pytest

from streamkit.testing import EmulatedEndpoint, ScriptedToken

SCRIPT = ["Hello", ScriptedToken(" world", id=7, logprob=-0.25), ScriptedToken("</s>", special=True, id=2)]


@pytest.fixture(scope="module")
def server():
    """Return an endpoint that says hello."""
    with EmulatedEndpoint(SCRIPT, max_total_tokens=100) as server:
        yield server


def test_native_events_have_tgis_keys_and_count_from_one(post, server):
    """The keys of the end are present, and null, from the beginning."""
    first, second, last = post(server, "/generate_stream", {"inputs": "Hi"}).events
    assert list(first) == ["index", "token", "generated_text", "details"]
    assert [event["index"] for event in (first, second, last)] == [1, 2, 3]
    assert second["token"] == {"id": 7, "text": " world", "logprob": -0.25, "special": False}
    assert (second["generated_text"], second["details"]) == (None, None)
    assert last["token"]["special"]
    assert (last["generated_text"], last["details"]) == ("Hello world", None)


def test_the_native_stream_has_no_end_mark(post, server):
    """It ends with its last event."""
    assert post(server, "/generate_stream", {"inputs": "Hi"}).text.endswith("}\n\n")


def test_details_come_with_the_last_event_when_asked_for(post, server):
    """Nothing else says why the answer ended."""
    parameters = {"details": True, "max_new_tokens": 2, "seed": 5, "temperature": 0.5}
    last = post(server, "/generate_stream", {"inputs": "Hi", "parameters": parameters}).events[-1]
    assert last["details"] == {"finish_reason": "length", "generated_tokens": 2, "seed": 5, "input_length": 2}
    assert (last["token"]["text"], last["generated_text"]) == (" world", "Hello world")


def test_a_greedy_answer_has_no_seed(post, server):
    """It needs no dice."""
    last = post(server, "/generate_stream", {"inputs": "Hi", "parameters": {"details": True, "seed": 5}}).events[-1]
    assert last["details"]["seed"] is None


def test_the_stop_text_stays_in_token_and_text(post, server):
    """Cutting is the client's business."""
    parameters = {"details": True, "stop": ["lo wor", " world"]}
    last = post(server, "/generate_stream", {"inputs": "Hi", "parameters": parameters}).events[-1]
    assert last["details"]["finish_reason"] == "stop_sequence"
    assert (last["token"]["text"], last["generated_text"]) == (" world", "Hello world")


def test_unknown_keys_are_ignored(post, server):
    """`stop_sequences` is one of them."""
    body = {"inputs": "Hi", "parameters": {"stop_sequences": ["Hello"], "details": True}, "mine": 1}
    assert post(server, "/generate_stream", body).events[-1]["details"]["finish_reason"] == "eos_token"


def test_on_the_root_the_body_decides_whether_to_stream(post, server):
    """Without streaming the object is in a list."""
    assert len(post(server, "/", {"inputs": "Hi", "stream": True}).events) == 3
    assert post(server, "/", {"inputs": "Hi"}).json == [{"generated_text": "HiHello world"}]


@pytest.mark.parametrize(("path", "text"), [("/", "HiHello world"), ("/generate_stream", "Hello world")])
def test_the_full_text_is_the_default_of_the_root_only(post, server, path, text):
    """It concerns the generated text, never a token."""
    events = post(server, path, {"inputs": "Hi", "stream": True}).events
    assert (events[0]["token"]["text"], events[-1]["generated_text"]) == ("Hello", text)


def test_generate_with_details_lists_the_tokens(post, server):
    """The prompt's tokens are there when asked for."""
    parameters = {"details": True, "decoder_input_details": True}
    details = post(server, "/generate", {"inputs": "Hi", "parameters": parameters}).json["details"]
    assert (details["finish_reason"], details["generated_tokens"]) == ("eos_token", 3)
    assert [token["text"] for token in details["tokens"]] == ["Hello", " world", "</s>"]
    assert [token["text"] for token in details["prefill"]] == ["<s>", "Hi"]


def test_a_streamed_request_is_refused_in_the_stream(post, server):
    """The status was sent before anything was checked, and nothing follows the error."""
    answer = post(server, "/generate_stream", {"inputs": "Hi", "parameters": {"temperature": 0}})
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "text/event-stream"
    message = "Input validation error: `temperature` must be strictly positive"
    assert answer.events == [{"error": message, "error_type": "validation"}]
    assert not server.requests[-1].answer_complete


def test_another_request_is_refused_by_its_status(post, server):
    """The same body, 422."""
    answer = post(server, "/generate", {"inputs": "Hi", "parameters": {"top_p": 1.0}})
    assert (answer.status, answer.json["error_type"]) == (422, "validation")


def test_the_endpoints_limit_of_stop_strings_counts(post):
    """It is four unless the server was started with another."""
    body = {"inputs": "Hi", "parameters": {"stop": ["a", "b"]}}
    with EmulatedEndpoint(SCRIPT, max_stop_sequences=1) as server:
        assert post(server, "/generate", body).status == 422
    with EmulatedEndpoint(SCRIPT) as server:
        assert post(server, "/generate", body).status == 200


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        (b"{", 400, "Failed to parse the request body as JSON"),
        (b"{}", 422, "Failed to deserialize the JSON body into the target type"),
        (b'{"inputs": 3}', 422, "Failed to deserialize the JSON body into the target type"),
        (b'{"inputs": "Hi", "parameters": {"max_new_tokens": -1}}', 422, "$.parameters.max_new_tokens"),
        (b" " * 2_000_001, 413, "length limit exceeded"),
    ],
)
def test_a_body_that_cannot_be_read_is_refused_in_plain_text(post, server, body, status, words):
    """Even for a stream, because it is refused before the stream begins."""
    answer = post(server, "/generate_stream", body)
    assert answer.status == status
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert words in answer.text


def test_a_body_that_is_not_said_to_be_json_is_refused(post, server):
    """The content type is looked at first."""
    assert post(server, "/generate", b"{}", **{"Content-Type": "text/plain"}).status == 415


def test_the_key_guards_generation_and_nothing_else(get, post):
    """A wrong key is answered without a word, and case does not matter."""
    with EmulatedEndpoint(SCRIPT, api_key="Sesame") as server:
        assert get(server, "/info").status == 200
        refused = post(server, "/generate", {"inputs": "Hi"}, Authorization="Bearer wrong")
        assert (refused.status, refused.text) == (401, "")
        assert post(server, "/generate", {"inputs": "Hi"}).status == 401
        assert post(server, "/generate", {"inputs": "Hi"}, Authorization="bearer sesame").status == 200


def test_info_says_what_is_served_and_that_it_is_emulated(get, server):
    """Limits are those of the endpoint."""
    info = get(server, "/info").json
    assert (info["model_id"], info["max_total_tokens"], info["emulator"]) == ("emulated/tiny", 100, True)
    assert info["router"] == "streamkit-emulator"


def test_the_model_owns_itself(get, server):
    """By this clients tell TGI from vLLM."""
    (model,) = get(server, "/v1/models").json["data"]
    assert model["id"] == model["owned_by"] == "emulated/tiny"


@pytest.mark.parametrize(("path", "status"), [("/health", 200), ("/", 200), ("/generate", 405), ("/v2", 404)])
def test_other_paths_are_answered_without_a_body(get, server, path, status):
    """Healthy, not that way, not here."""
    answer = get(server, path)
    assert (answer.status, answer.text) == (status, "")
