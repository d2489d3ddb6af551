"""The plugin as users meet it: by name, in a pipeline with the usual chain."""

from __future__ import annotations

from importlib.metadata import entry_points

import pytest
from streamkit import Collect, ConfigurationError, Pipeline, recommended_transforms

from streamkit_transformers import TransformersModel
from streamkit_transformers.plugin import TransformersPlugin, plugin

PROMPT = "The quick brown"


def test_the_entry_point_names_the_plugin():
    """Installing the distribution is all there is to do."""
    (entry_point,) = entry_points(group="streamkit", name="transformers")
    assert entry_point.load() is plugin


def test_the_source_is_registered_by_name():
    """One name, one factory."""
    assert TransformersPlugin().register_sources() == {"transformers": TransformersModel}


def test_a_configuration_names_the_source(directory, source):
    """A file can describe the whole pipeline."""
    pipeline = Pipeline.from_config(
        {
            "source": {"use": "transformers", "model": str(directory), "device": "cpu"},
            "transforms": ["skip_special_tokens"],
            "parameters": {"max_new_tokens": 4},
        }
    )
    assert pipeline.source == source
    assert pipeline.run(PROMPT).tokens == 4


def test_a_configuration_with_a_wrong_option_is_refused(directory):
    """The message has the place and the nearest name."""
    with pytest.raises(ConfigurationError, match=r"source \(transformers\): unknown option 'devise'.*'device'"):
        Pipeline.from_config({"source": {"use": "transformers", "model": str(directory), "devise": "cpu"}})


def test_the_usual_chain_hides_the_end_mark(source):
    """The mark is generated, counted and not shown."""
    pipeline = source | recommended_transforms(eos=source.eos)
    result = pipeline.run(PROMPT, max_new_tokens=6, extra={"forced_eos_token_id": 1})
    assert (result.outcome, result.finish_reason, result.tokens) == ("completed", "eos_token", 6)
    assert "</s>" not in result.text


def test_the_chain_cuts_at_a_stop_sequence_and_the_model_stops(source, watch):
    """The text ends before the sequence, and no pass is made behind it."""
    everything = source | Collect()
    with everything.stream(PROMPT, max_new_tokens=24) as stream:
        pieces = [token.text for token in stream.tokens()]
    stop = "".join(pieces)[4:7]
    needed = next(count for count in range(len(pieces)) if stop in "".join(pieces[:count]))
    with watch() as passes:
        result = (source | recommended_transforms(stop=stop)).run(PROMPT, max_new_tokens=24)
    assert (result.finish_reason, result.stop) == ("stop_sequence", stop)
    assert result.text == "".join(pieces).partition(stop)[0]
    assert len(passes) == needed


def test_a_conversation_is_answered(source):
    """Messages go through the chat template of the tokenizer."""
    result = (source | recommended_transforms(eos=source.eos)).run(
        [{"role": "user", "content": "The fox?"}], max_new_tokens=5
    )
    assert result.usage.prompt_tokens == len(
        source._ready().tokenizer("<s><|user|>The fox?<|assistant|>", add_special_tokens=False)["input_ids"]
    )
    assert result.usage.completion_tokens == 5
