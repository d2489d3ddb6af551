"""From requests to token ids."""

from __future__ import annotations

import attrs
import pytest
from streamkit import ConfigurationError, Request

from streamkit_transformers._prompt import encode

PROMPT = "The quick brown"

CONVERSATION = [{"role": "user", "content": "The fox?"}]


@pytest.fixture
def loaded(source):
    """The loaded model."""
    return source._ready()


def test_a_prompt_is_encoded_as_the_tokenizer_does(loaded, ids):
    """The start token that the model was trained with is there."""
    assert encode(Request(prompt=PROMPT), {}, loaded) == ids
    assert ids[0] == 0


def test_a_conversation_goes_through_the_chat_template(loaded, tokenizer):
    """The turn of the assistant is opened, and special tokens of the template are special."""
    encoded = encode(Request(messages=CONVERSATION), {}, loaded)
    assert tokenizer.decode(encoded) == "<s><|user|>The fox?<|assistant|>"
    assert encoded[-1] == tokenizer.convert_tokens_to_ids("<|assistant|>")


def test_arguments_reach_the_template(loaded, tokenizer):
    """A template's own switches can be set."""
    encoded = encode(Request(messages=CONVERSATION), {"add_generation_prompt": False}, loaded)
    assert tokenizer.decode(encoded) == "<s><|user|>The fox?"


def test_a_template_can_be_brought_along(loaded, tokenizer):
    """A model without a template can be given one."""
    encoded = encode(Request(messages=CONVERSATION), {"chat_template": "{{ messages[0].content }}"}, loaded)
    assert tokenizer.decode(encoded) == "The fox?"


def test_messages_without_a_template_are_refused(loaded):
    """A base model has no words for a conversation, and the message says how to ask it."""

    class Bare:
        chat_template = None

    with pytest.raises(ConfigurationError, match=r"no chat template.*prompt string"):
        encode(Request(messages=CONVERSATION), {}, attrs.evolve(loaded, tokenizer=Bare()))


def test_messages_that_the_template_refuses_are_the_callers_mistake(loaded):
    """The template's own words are in the message."""
    with pytest.raises(ConfigurationError, match="no such role"):
        encode(Request(messages=[{"role": "wizard", "content": "?"}]), {}, loaded)


@pytest.mark.parametrize(("prompt", "message"), [("", "the prompt is empty"), ("fox " * 200, "context of .* only 128")])
def test_a_prompt_that_leaves_nothing_to_answer_is_refused(loaded, prompt, message):
    """An empty prompt and one as long as the context are found before the model runs."""
    with pytest.raises(ConfigurationError, match=message):
        encode(Request(prompt=prompt), {}, loaded)
