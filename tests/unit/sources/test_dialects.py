"""Routes and bodies of each dialect."""

from types import MappingProxyType

import pytest

from streamkit.errors import ConfigurationError
from streamkit.formats import Ollama, OpenAIChat, OpenAICompletions, Tgi
from streamkit.request import Request
from streamkit.sources._dialects import Place, ask, check_early, join

PLACE = Place.of("https://host")
CHAT = [{"role": "user", "content": "Hi"}]


class TestPlace:
    """The routes of a server, from whatever URL a user pasted."""

    @pytest.mark.parametrize("url", ["https://h", "https://h/", "https://h/v1", "https://h/v1/"])
    def test_a_base_is_known_with_and_without_its_v1(self, url):
        """Nothing is named by it."""
        assert Place.of(url) == Place(native="https://h/", openai="https://h/v1", server="https://h/", named=None)

    def test_a_base_may_lie_below_a_path(self):
        """A gateway has several servers."""
        place = Place.of("https://h/team/a")
        assert (place.native, place.openai) == ("https://h/team/a", "https://h/team/a/v1")

    @pytest.mark.parametrize(
        ("path", "named", "openai"),
        [
            ("/v1/chat/completions", "chat", "/v1"),
            ("/v1/completions", "completions", "/v1"),
            ("/openai/v1/chat/completions", "chat", "/openai/v1"),
            ("/api/paas/v4/chat/completions", "chat", "/api/paas/v4"),
            ("/generate_stream", "tgi", "/v1"),
            ("/api/generate", "ollama", "/v1"),
            ("/api/chat", "ollama", "/v1"),
            ("/team/a/generate_stream", "tgi", "/team/a/v1"),
        ],
    )
    def test_a_route_names_its_dialect(self, path, named, openai):
        """And the root of its neighbours."""
        place = Place.of("https://h" + path)
        assert (place.named, place.openai) == (named, "https://h" + openai)

    @pytest.mark.parametrize(
        ("path", "native"),
        [("/generate_stream", "/generate_stream"), ("/v1/completions", "/"), ("/a/v1/chat/completions", "/a")],
    )
    def test_tgis_own_route_is_the_named_one_or_the_base(self, path, native):
        """For a caller who says `api="tgi"` and pastes another route."""
        assert Place.of("https://h" + path).native == "https://h" + native

    def test_a_query_is_kept_and_a_fragment_is_not(self):
        """Some gateways want a key or a version there."""
        assert Place.of("https://h/v1?api-version=1#top").openai == "https://h/v1?api-version=1"
        assert join("https://h/v1?api-version=1", "/models") == "https://h/v1/models?api-version=1"


class TestAsk:
    """A question in a dialect's words."""

    @pytest.mark.parametrize(
        ("dialect", "messages", "path", "answer_format"),
        [
            ("tgi", None, "/", Tgi(full_text=False)),
            ("tgi", CHAT, "/v1/chat/completions", OpenAIChat()),
            ("completions", None, "/v1/completions", OpenAICompletions()),
            ("completions", CHAT, "/v1/chat/completions", OpenAIChat()),
            ("chat", None, "/v1/chat/completions", OpenAIChat()),
            ("chat", CHAT, "/v1/chat/completions", OpenAIChat()),
            ("ollama", None, "/api/generate", Ollama()),
            ("ollama", CHAT, "/api/chat", Ollama()),
        ],
    )
    def test_it_has_a_route_and_a_format(self, dialect, messages, path, answer_format):
        """By whether it is a prompt or a conversation."""
        request = Request(messages=messages) if messages else Request(prompt="Hi")
        question = ask(request, PLACE, dialect, "m")
        assert question.url == "https://host" + path
        assert question.format == answer_format
        assert question.body["stream"] is True

    def test_tgi_is_asked_for_details_and_no_repetition_of_the_prompt(self):
        """Else it says nowhere why it stopped."""
        body = ask(Request(prompt="Hi", parameters={"seed": 1}), PLACE, "tgi", None).body
        assert body == {
            "inputs": "Hi",
            "parameters": {"seed": 1, "details": True, "return_full_text": False},
            "stream": True,
        }

    def test_openai_is_asked_for_usage(self):
        """It comes in a chunk of its own."""
        body = ask(Request(prompt="Hi", stop=["a"]), PLACE, "completions", "m").body
        assert body == {
            "model": "m",
            "prompt": "Hi",
            "stop": ["a"],
            "stream": True,
            "stream_options": {"include_usage": True},
        }

    def test_ollama_has_its_options_apart(self):
        """By its own names."""
        body = ask(Request(prompt="Hi", parameters={"max_new_tokens": 2}), PLACE, "ollama", "m").body
        assert body["options"] == {"num_predict": 2}

    @pytest.mark.parametrize(
        ("dialect", "messages", "hinted"),
        [
            ("tgi", None, True),
            ("tgi", CHAT, True),
            ("completions", None, True),
            ("completions", CHAT, False),
            ("chat", None, False),
            ("chat", CHAT, False),
            ("ollama", None, False),
            ("ollama", CHAT, False),
        ],
    )
    def test_stops_are_hinted_where_no_reasoning_is_split_off(self, dialect, messages, hinted):
        """At most four; elsewhere the server would look for them in the reasoning."""
        question = {"messages": messages} if messages else {"prompt": "Hi"}
        body = ask(Request(**question, stop=list("abcdef")), PLACE, dialect, "m").body
        sent = {**body, **body.get("parameters", {}), **body.get("options", {})}.get("stop")
        assert sent == (["a", "b", "c", "d"] if hinted else None)

    @pytest.mark.parametrize(("dialect", "fields"), [("chat", None), ("ollama", "options")])
    def test_extra_may_hint_all_the_same(self, dialect, fields):
        """The caller knows whether the model reasons."""
        body = ask(Request(prompt="Hi", parameters={"extra": {"stop": ["a"]}}), PLACE, dialect, "m").body
        assert (body[fields] if fields else body)["stop"] == ["a"]

    @pytest.mark.parametrize("messages", [None, CHAT])
    def test_what_ollama_reads_beside_its_options_is_not_among_them(self, messages):
        """It would pass over it there; what it does not read elsewhere stays an option."""
        extra = {"keep_alive": "10m", "think": True, "format": "json", "num_ctx": 8192, "stream": False}
        parameters = {"tools": [{"type": "function"}], "seed": 1, "extra": extra}
        question = {"messages": messages} if messages else {"prompt": "Hi"}
        body = ask(Request(**question, parameters=parameters), PLACE, "ollama", "m").body
        assert body == question | {
            "model": "m",
            "stream": True,
            "keep_alive": "10m",
            "think": True,
            "format": "json",
            "tools": [{"type": "function"}],
            "options": {"seed": 1, "num_ctx": 8192, "stream": False},
        }

    @pytest.mark.parametrize("dialect", ["tgi", "completions", "chat"])
    def test_extra_cannot_turn_the_stream_off(self, dialect):
        """Every run streams."""
        request = Request(prompt="Hi", parameters={"extra": {"stream": False}})
        assert ask(request, PLACE, dialect, "m").body["stream"] is True

    def test_extra_may_change_how_usage_is_asked_for(self):
        """A server may not know the option."""
        request = Request(prompt="Hi", parameters={"extra": {"stream_options": {"include_usage": False}}})
        assert ask(request, PLACE, "chat", "m").body["stream_options"] == {"include_usage": False}

    def test_its_repr_shows_no_prompt(self):
        """It may be logged."""
        assert "secret plan" not in repr(ask(Request(prompt="secret plan"), PLACE, "tgi", None))


class TestCheckEarly:
    """What is refused before a server is asked what it speaks."""

    @pytest.mark.parametrize("dialect", [None, "tgi", "completions", "chat", "ollama"])
    def test_an_empty_prompt(self, dialect):
        """Engines answer it with an error, or with anything."""
        with pytest.raises(ConfigurationError, match="prompt is empty"):
            check_early(Request(prompt=""), dialect)

    @pytest.mark.parametrize("question", [{"prompt": "Hi"}, {"messages": CHAT}], ids=["prompt", "chat"])
    @pytest.mark.parametrize("dialect", [None, "tgi", "completions", "chat", "ollama"])
    @pytest.mark.parametrize(
        "parameters", [{"max_tokens": 3}, {"n": 2}, {"extra": 7}, {"seed": object()}, {"extra": {"a": "\ud800"}}]
    )
    def test_what_fits_nowhere(self, dialect, question, parameters):
        """Names that nobody knows, and values that JSON has not."""
        with pytest.raises(ConfigurationError):
            check_early(Request(**question, parameters=parameters), dialect)

    def test_what_fits_neither_of_two_dialects(self):
        """A server that has not been asked yet speaks one of them; the message names both."""
        with pytest.raises(ConfigurationError, match="this request goes to 'tgi' or 'completions': leave it out"):
            check_early(Request(prompt="Hi", parameters={"tools": []}), None)

    def test_a_conversation_has_one_vocabulary_whatever_the_server_speaks(self):
        """It goes to the chat route."""
        with pytest.raises(ConfigurationError, match="this request goes to 'chat': leave it out"):
            check_early(Request(messages=CHAT, parameters={"typical_p": 0.5}), None)
        check_early(Request(messages=CHAT, parameters={"tools": []}), None)

    @pytest.mark.parametrize("parameters", [{"typical_p": 0.5}, {"min_p": 0.1}, MappingProxyType({"seed": 1})])
    def test_what_may_fit_is_left_to_the_server_that_is_found(self, parameters):
        """Each of these has one dialect at least."""
        check_early(Request(prompt="Hi", parameters=parameters), None)

    def test_extra_may_be_any_mapping(self):
        """As it may be when it is sent."""
        request = Request(prompt="Hi", parameters={"extra": MappingProxyType({"a": 1})})
        check_early(request, None)
        assert ask(request, PLACE, "chat", "m").body["a"] == 1
