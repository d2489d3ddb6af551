"""TGI's OpenAI-shaped routes."""

import pytest

from streamkit.testing import EmulatedEndpoint, ScriptedToken

EOS = ScriptedToken("</s>", special=True)
MESSAGES = [{"role": "user", "content": "Hi"}]


@pytest.fixture(scope="module")
def server():
    """Return an endpoint that says hello."""
    with EmulatedEndpoint(["Hello", " world", EOS], max_total_tokens=100) as server:
        yield server


@pytest.fixture
def chat(post, server):
    """Return a function that asks the chat route for a stream."""
    return lambda **fields: post(server, "/v1/chat/completions", {"messages": MESSAGES, "stream": True, **fields})


@pytest.fixture
def complete(post, server):
    """Return a function that asks the completions route for a stream."""
    return lambda prompt, **fields: post(server, "/v1/completions", {"prompt": prompt, "stream": True, **fields})


class TestChat:
    """`/v1/chat/completions`."""

    def test_the_chunks_have_tgis_ways(self, chat):
        """An empty id, the role in every delta, a special token without text, the reason with the last token."""
        *chunks, end = chat().events
        assert end == "[DONE]"
        assert {(chunk["id"], chunk["object"], chunk["usage"]) for chunk in chunks} == {
            ("", "chat.completion.chunk", None)
        }
        choices = [chunk["choices"][0] for chunk in chunks]
        assert [choice["delta"] for choice in choices] == [
            {"role": "assistant", "content": text} for text in ("Hello", " world", "")
        ]
        assert [choice["finish_reason"] for choice in choices] == [None, None, "stop"]

    def test_other_reasons_keep_tgis_names(self, chat):
        """Only end-of-sequence is translated."""
        assert chat(max_tokens=1).events[-2]["choices"][0]["finish_reason"] == "length"
        stopped = chat(stop=["world"]).events[-2]["choices"][0]
        assert (stopped["finish_reason"], stopped["delta"]["content"]) == ("stop_sequence", " world")

    def test_usage_comes_in_a_chunk_of_its_own_when_asked_for(self, chat):
        """It has no choices and precedes the end mark."""
        usage = chat(stream_options={"include_usage": True}).events[-2]
        assert usage["choices"] == []
        assert usage["usage"]["completion_tokens"] == 3
        assert usage["usage"]["total_tokens"] == usage["usage"]["prompt_tokens"] + 3

    def test_logprobs_come_when_asked_for(self, chat):
        """One entry for each token."""
        assert chat(logprobs=True).events[0]["choices"][0]["logprobs"] == {
            "content": [{"token": "Hello", "logprob": -0.5, "top_logprobs": []}]
        }

    def test_a_temperature_of_zero_is_greedy_here(self, chat):
        """On the native route it is a mistake."""
        assert "error" not in chat(temperature=0).events[0]

    def test_an_error_is_an_event_and_the_end_mark_follows(self, chat):
        """The code in it is always 422."""
        answer = chat(temperature=-1)
        message = "Input validation error: `temperature` must be strictly positive"
        assert answer.status == 200
        assert answer.events == [{"error": {"message": message, "http_status_code": 422}}, "[DONE]"]

    def test_without_streaming_the_answer_is_one_document(self, chat):
        """And an error is a status."""
        document = chat(stream=False).json
        assert document["choices"][0]["message"] == {"role": "assistant", "content": "Hello world"}
        assert (document["choices"][0]["finish_reason"], document["usage"]["completion_tokens"]) == ("stop", 3)
        refused = chat(stream=False, temperature=-1)
        assert (refused.status, refused.json["error_type"]) == (422, "validation")

    def test_missing_messages_are_refused_in_plain_text(self, post, server):
        """As any body of the wrong shape."""
        answer = post(server, "/v1/chat/completions", {"stream": True})
        assert (answer.status, "messages" in answer.text) == (422, True)

    def test_max_completion_tokens_is_another_name(self, chat):
        """Clients have moved on to it."""
        assert len(chat(max_completion_tokens=1).events) == 2


class TestCompletions:
    """`/v1/completions`."""

    def test_the_chunks_have_tgis_ways(self, complete):
        """An empty reason until the end, special tokens in the text, the reason in TGI's own words, usage with it."""
        *chunks, end = complete("Hi").events
        assert end == "[DONE]"
        choices = [chunk["choices"][0] for chunk in chunks]
        assert [choice["text"] for choice in choices] == ["Hello", " world", "</s>"]
        assert [choice["finish_reason"] for choice in choices] == ["", "", "eos_token"]
        assert ["usage" in chunk for chunk in chunks] == [False, False, True]

    def test_several_prompts_are_answered_side_by_side(self, complete):
        """The choice's index says which is which."""
        *chunks, _ = complete(["a", "b"], max_tokens=2).events
        assert [chunk["choices"][0]["index"] for chunk in chunks] == [0, 1, 0, 1]

    def test_without_streaming_the_choices_are_in_order(self, complete):
        """Usage is the sum."""
        document = complete(["a", "b"], stream=False).json
        assert [choice["index"] for choice in document["choices"]] == [0, 1]
        assert document["usage"]["completion_tokens"] == 6

    @pytest.mark.parametrize(
        ("fields", "kind"),
        [({"suffix": "!"}, "suffix not supported"), ({"prompt": list("abcde")}, "batch size exceeded")],
    )
    def test_what_is_checked_before_the_stream_has_a_status(self, complete, fields, kind):
        """Even where a stream was asked for."""
        answer = complete(**{"prompt": "a", **fields})
        assert (answer.status, answer.json["error_type"]) == (422, kind)

    def test_an_error_is_an_event_and_the_end_mark_follows(self, complete):
        """As on the chat route."""
        error, end = complete("a", top_p=1.0).events
        assert (error["error"]["http_status_code"], end) == (422, "[DONE]")
