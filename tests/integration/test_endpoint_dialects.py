"""How a question is put to each engine, and what comes back."""

import json

import pytest

from streamkit import ConfigurationError, Endpoint, InferenceEndpoint, RequestError, StopSequences
from streamkit.testing import EmulatedEndpoint, Response

MODEL = "emulated/tiny"
CHAT = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]


def asked(server):
    """Return the requests that were questions."""
    return [seen for seen in server.requests if seen.method == "POST"]


def probes(server):
    """Return the requests that asked what the server is."""
    return [(seen.method, seen.path) for seen in server.requests if seen.method == "GET"]


def without(*paths):
    """Return the answers of a server that lacks some routes."""
    return lambda seen: Response(status=404) if seen.path in paths else None


@pytest.mark.parametrize(
    ("engine", "api", "model", "question", "path"),
    [
        ("tgi", "auto", None, "Hi", "/"),
        ("tgi", "auto", None, CHAT, "/v1/chat/completions"),
        ("tgi", "tgi", None, "Hi", "/"),
        ("tgi", "tgi", None, CHAT, "/v1/chat/completions"),
        ("tgi", "completions", None, "Hi", "/v1/completions"),
        ("tgi", "chat", None, "Hi", "/v1/chat/completions"),
        ("vllm", "auto", None, "Hi", "/v1/completions"),
        ("vllm", "auto", None, CHAT, "/v1/chat/completions"),
        ("vllm", "completions", MODEL, "Hi", "/v1/completions"),
        ("vllm", "completions", MODEL, CHAT, "/v1/chat/completions"),
        ("vllm", "chat", None, "Hi", "/v1/chat/completions"),
        ("vllm", "chat", MODEL, CHAT, "/v1/chat/completions"),
        ("openai", "chat", None, "Hi", "/v1/chat/completions"),
        ("openai", "chat", MODEL, CHAT, "/v1/chat/completions"),
        ("openai", "auto", None, CHAT, "/v1/chat/completions"),
        ("ollama", "ollama", MODEL, "Hi", "/api/generate"),
        ("ollama", "ollama", MODEL, CHAT, "/api/chat"),
    ],
)
def test_a_question_reaches_every_engine_in_every_dialect(drive, eos, *, engine, api, model, question, path):
    """The answer is the same, whatever the route."""
    with EmulatedEndpoint(["Hello", " world", eos], engine=engine) as server:
        played = drive(Endpoint(server.url, api=api, model=model), question)
        (seen,) = asked(server)
    assert played.error is None
    assert seen.path == path
    assert played.text.removesuffix("</s>") == "Hello world"  # raw specials stay: there is no transform here
    assert played.result.outcome == "completed"
    assert played.result.finish_reason == "eos_token"
    assert played.result.usage is not None
    assert played.result.usage.completion_tokens == 3
    if "chat" in path:
        assert seen.body["messages"] == (CHAT if question is CHAT else [{"role": "user", "content": "Hi"}])
    else:
        assert seen.body.get("prompt", seen.body.get("inputs")) == "Hi"


class TestFindingOut:
    """What a server is, and what it serves."""

    def test_a_server_is_asked_once_for_each_endpoint_object(self, drive, hello):
        """The answer is kept for later runs, and not shared with another object."""
        endpoint = Endpoint(hello.url)
        assert [played.result.outcome for played in drive.twice(endpoint)] == ["completed"] * 2
        assert probes(hello) == [("GET", "/v1/models")]
        drive(Endpoint(hello.url))
        assert len(probes(hello)) == 2

    @pytest.mark.parametrize("status", [404, 405])
    def test_a_server_in_whose_place_is_another_is_asked_again(self, drive, eos, status):
        """The run that met the other one has failed; the next one knows."""
        names = iter(["owner/old", "owner/new"])

        def respond(seen):
            if seen.method == "GET":
                return Response.json({"data": [{"id": next(names), "owned_by": "vllm"}]})
            return None if seen.body["model"] == "owner/new" else Response(status=status)

        with EmulatedEndpoint(["Hello", eos], engine="vllm", model="owner/new", respond=respond) as server:
            first, second = drive.twice(Endpoint(server.url))
        assert (type(first.error), first.error.status) == (RequestError, status)
        assert second.text == "Hello"
        assert [seen.method for seen in server.requests] == ["GET", "POST"] * 2

    def test_another_refusal_is_no_reason_to_ask_again(self, drive):
        """The server is what it was."""
        with EmulatedEndpoint(respond=lambda seen: Response(status=422) if seen.method == "POST" else None) as server:
            assert [type(played.error) for played in drive.twice(Endpoint(server.url))] == [RequestError] * 2
        assert [seen.method for seen in server.requests] == ["GET", "POST", "POST"]

    @pytest.mark.parametrize(
        ("path", "engine", "model"),
        [
            ("/generate_stream", "tgi", None),
            ("/v1/chat/completions", "vllm", MODEL),
            ("/v1/completions", "vllm", MODEL),
            ("/api/generate", "ollama", MODEL),
            ("/api/chat", "ollama", MODEL),
        ],
    )
    def test_a_url_that_names_a_route_is_believed(self, drive, eos, path, engine, model):
        """Nothing is asked beforehand."""
        with EmulatedEndpoint(["Hello", eos], engine=engine) as server:
            played = drive(Endpoint(server.url + path, model=model))
            assert not probes(server)
        assert played.error is None
        assert played.text.startswith("Hello")

    def test_a_named_api_and_model_are_believed(self, drive, eos):
        """Nothing is asked beforehand."""
        with EmulatedEndpoint(["Hello", eos], engine="vllm") as server:
            assert drive(Endpoint(server.url, api="completions", model=MODEL)).text == "Hello"
            assert not probes(server)

    def test_the_v1_of_a_server_is_its_base(self, drive, eos):
        """Documentation shows the URL with and without it."""
        with EmulatedEndpoint(["Hello", eos], engine="vllm") as server:
            assert drive(Endpoint(server.url + "/v1")).text == "Hello"
            assert [seen.path for seen in server.requests] == ["/v1/models", "/v1/completions"]

    def test_the_one_model_of_a_server_is_found_out(self, drive, eos):
        """The vLLM engine answers 404 to any other name."""
        with EmulatedEndpoint(["Hello", eos], engine="vllm", model="owner/some-model") as server:
            assert drive(Endpoint(server.url)).text == "Hello"
            assert asked(server)[0].body["model"] == "owner/some-model"

    def test_of_several_models_the_caller_must_choose(self, drive):
        """The message names them, and nothing is sent."""
        listed = {"data": [{"id": name, "owned_by": "vllm"} for name in ("owner/one", "owner/two")]}
        with EmulatedEndpoint(engine="vllm", respond=Response.json(listed)) as server:
            played = drive(Endpoint(server.url))
            assert not asked(server)
        assert isinstance(played.error, ConfigurationError)
        assert "owner/one, owner/two" in str(played.error)
        assert "model=" in str(played.error)

    def test_a_wrong_model_is_the_servers_to_refuse(self, drive):
        """Its words are in the message, with what to check."""
        with EmulatedEndpoint(engine="vllm") as server:
            played = drive(Endpoint(server.url, api="chat", model="owner/other"))
        assert isinstance(played.error, RequestError)
        assert played.error.status == 404
        assert "`owner/other` does not exist" in str(played.error)

    def test_a_server_without_the_route_is_an_older_tgi(self, drive, eos):
        """Prompts go to its native API, and nothing more is asked of it."""
        with EmulatedEndpoint(["Hello", eos], respond=without("/v1/models")) as server:
            assert drive(Endpoint(server.url)).text == "Hello</s>"
            assert asked(server)[0].path == "/"
            assert probes(server) == [("GET", "/v1/models")]

    @pytest.mark.parametrize(("api", "question"), [("auto", CHAT), ("chat", "Hi"), ("completions", "Hi")])
    def test_an_older_tgi_is_asked_for_the_name_of_its_model(self, drive, eos, api, question):
        """Once; its other routes want one."""
        with EmulatedEndpoint(["Hello", eos], model="owner/old", respond=without("/v1/models")) as server:
            endpoint = Endpoint(server.url, api=api)
            assert [drive(endpoint, question).text.removesuffix("</s>") for _ in range(2)] == ["Hello"] * 2
            assert [seen.body["model"] for seen in asked(server)] == ["owner/old"] * 2
            assert probes(server) == [("GET", "/v1/models"), ("GET", "/info")]

    def test_a_server_that_names_its_model_nowhere_needs_to_be_told(self, drive):
        """No name is made up, and nothing is sent."""
        with EmulatedEndpoint(respond=without("/v1/models", "/info")) as server:
            played = drive(Endpoint(server.url), CHAT)
            assert not asked(server)
        assert isinstance(played.error, ConfigurationError)
        assert "say which with model=" in str(played.error)


class TestParameters:
    """Generation parameters on the wire."""

    @pytest.mark.parametrize(
        ("engine", "api", "place", "name"),
        [
            ("tgi", "tgi", "parameters", "max_new_tokens"),
            ("vllm", "completions", None, "max_tokens"),
            ("vllm", "chat", None, "max_tokens"),
            ("ollama", "ollama", "options", "num_predict"),
        ],
    )
    def test_a_parameter_has_the_name_of_the_dialect_on_the_wire(self, drive, engine, api, place, name):
        """And the server obeys it."""
        with EmulatedEndpoint(["a", "b", "c", "d"], engine=engine) as server:
            played = drive(Endpoint(server.url, api=api, model=MODEL), max_new_tokens=2, temperature=0.5)
            (seen,) = asked(server)
        fields = seen.body[place] if place else seen.body
        assert (fields[name], fields["temperature"]) == (2, 0.5)
        assert played.text == "ab"
        assert played.result.finish_reason == "length"

    def test_a_parameter_that_does_not_exist_is_refused_before_the_question_is_sent(self, drive, hello):
        """The message knows what was meant."""
        played = drive(Endpoint(hello.url, api="tgi"), max_tokens=3)
        assert isinstance(played.error, ConfigurationError)
        assert "max_new_tokens" in str(played.error)
        assert not asked(hello)

    @pytest.mark.parametrize("value", [object(), "\ud800"], ids=["object", "lone surrogate"])
    def test_what_json_cannot_say_is_the_callers_mistake(self, drive, hello, value):
        """It is found before anything is sent."""
        played = drive(Endpoint(hello.url, api="tgi"), adapter_id=value)
        assert isinstance(played.error, ConfigurationError)
        assert "JSON" in str(played.error)
        assert not hello.requests

    @pytest.mark.parametrize("source", [Endpoint, lambda url: InferenceEndpoint("mine", namespace=url, wait=60)])
    @pytest.mark.parametrize(
        ("question", "parameters"),
        [("", {}), ("Hi", {"max_tokens": 3}), (CHAT, {"typical_p": 0.5}), ("Hi", {"seed": object()})],
        ids=["empty prompt", "unknown", "unknown to chats", "no JSON"],
    )
    def test_what_cannot_be_asked_is_refused_before_the_server_is_looked_for(self, drive, source, question, parameters):
        """There is none here, and it is not what is complained of."""
        assert isinstance(drive(source("http://127.0.0.1:1"), question, **parameters).error, ConfigurationError)


class TestStops:
    """Stop sequences: a hint to the server, and a cut of our own."""

    @pytest.mark.parametrize(("engine", "api"), [("tgi", "tgi"), ("vllm", "completions")])
    def test_at_most_four_are_sent_as_a_hint(self, drive, engine, api):
        """More would be refused; the cut happens here in any case."""
        with EmulatedEndpoint(["one", " two", " six!"], engine=engine) as server:
            stops = StopSequences("2", "3", "4", "5", " six")
            played = drive(Endpoint(server.url, api=api, model=MODEL) | stops)
            body = asked(server)[0].body
        fields = {**body, **body.get("parameters", {})}
        assert fields["stop"] == ["2", "3", "4", "5"]
        assert played.text == "one two"
        assert (played.result.finish_reason, played.result.stop) == ("stop_sequence", " six")

    @pytest.mark.parametrize(
        "script",
        [["one", " two\nUs", "er", ": three", "!"], ["one two", "\nUser: three!"], ["one two\nUser:"]],
        ids=["split over tokens", "inside a token", "at its end"],
    )
    @pytest.mark.parametrize(("engine", "api"), [("tgi", "tgi"), ("tgi", "chat"), ("vllm", "completions")])
    def test_the_cut_is_exact_however_the_tokens_lie(self, drive, engine, api, script):
        """TGI misses a stop inside a token, and leaves one that it finds in the text."""
        with EmulatedEndpoint(script, engine=engine) as server:
            played = drive(Endpoint(server.url, api=api, model=MODEL) | StopSequences("\nUser:"))
        assert played.error is None
        assert played.text == played.result.text == "one two"
        assert (played.result.finish_reason, played.result.stop) == ("stop_sequence", "\nUser:")

    @pytest.mark.parametrize("question", ["What is 17 * 3?", CHAT], ids=["prompt", "chat"])
    def test_a_server_cannot_stop_inside_the_reasoning_that_it_splits_off(self, drive, question):
        """It is not told of the stop sequence, which cuts the answer alone."""

        def respond(seen):
            cut = "\n\n" in seen.body.get("stop", ())
            deltas = [{"reasoning_content": "10 * 3"}]
            if not cut:
                deltas += [{"reasoning_content": "\n\nand 7 * 3"}, {"content": "51"}, {"content": "\n\nNext"}]
            choices = [{"delta": delta, "finish_reason": None} for delta in deltas]
            choices.append({"delta": {}, "finish_reason": "stop"})
            events = "".join(f"data: {json.dumps({'choices': [{'index': 0, **each}]})}\n\n" for each in choices)
            return Response(body=f"{events}data: [DONE]\n\n".encode(), content_type="text/event-stream")

        with EmulatedEndpoint(respond=respond) as server:
            played = drive(Endpoint(server.url, api="chat", model=MODEL) | StopSequences("\n\n"), question)
        assert played.error is None
        assert (played.result.reasoning, played.text) == ("10 * 3\n\nand 7 * 3", "51")
