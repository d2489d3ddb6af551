"""Loading a model, and what is refused before it is asked anything."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from copy import deepcopy
from types import SimpleNamespace

import pytest
from streamkit import ConfigurationError

from streamkit_transformers import TransformersModel
from streamkit_transformers._loading import adopt


def test_importing_the_package_loads_no_heavy_library():
    """A program that lists its plugins does not wait for torch."""
    code = (
        "import sys\n"
        "from streamkit_transformers.plugin import plugin\n"
        "plugin.register_sources()\n"
        "assert not {'torch', 'transformers', 'anyio'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)  # noqa: S603 - this interpreter and the text above


def test_the_model_is_loaded_once(directory, monkeypatch):
    """The first run pays for the weights, and the second does not."""
    import transformers

    source = TransformersModel(directory)
    source.load()
    monkeypatch.delattr(transformers, "AutoModelForCausalLM")
    assert source.eos == ("</s>",)


def test_end_marks_are_a_list_in_the_generation_config(directory, tmp_path):
    """Several end marks, special or not, are all known, and each once."""
    shutil.copytree(directory, tmp_path, dirs_exist_ok=True)
    config = tmp_path / "generation_config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"eos_token_id": [1, 3, 1]}))
    assert TransformersModel(tmp_path).eos == ("</s>", "<|assistant|>")


def test_without_a_generation_config_the_tokenizer_names_the_end_mark(directory, tmp_path):
    """A model that says nothing of its end mark leaves it to the tokenizer."""
    shutil.copytree(directory, tmp_path, dirs_exist_ok=True)
    for name in ("config.json", "generation_config.json"):
        config = tmp_path / name
        config.write_text(json.dumps(json.loads(config.read_text()) | {"eos_token_id": None}))
    assert TransformersModel(tmp_path).eos == ("</s>",)


@pytest.mark.parametrize(("dtype", "bits"), [("auto", 32), ("bfloat16", 16)])
def test_the_dtype_is_the_checkpoints_or_the_one_asked_for(directory, dtype, bits):
    """`auto` changes nothing."""
    model = TransformersModel(directory, dtype=dtype, device="cpu")._ready().model
    assert model.dtype.itemsize * 8 == bits


def test_loaded_objects_are_taken_as_they_are(model, tokenizer):
    """A model that the program has loaded itself is not copied."""
    assert TransformersModel(model, tokenizer)._ready().model is model


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("./nowhere", {}, "there is no directory './nowhere'"),
        ("/no/where/at/all", {}, "there is no directory"),
        ("nobody/nothing", {}, "could not be loaded: .* save_pretrained"),
        (None, {"device": "abacus"}, "no device 'abacus' here"),
        (None, {"dtype": "float33"}, "no dtype 'float33'"),
        (None, {"dtype": "int8"}, "no dtype 'int8'"),
        (None, {"tokenizer": "./nowhere"}, "there is no directory './nowhere'"),
        (None, {"model_options": {"attn_implementation": "guess"}}, "could not be loaded: .*guess"),
    ],
)
def test_what_cannot_be_loaded_is_named_with_what_to_do(directory, name, options, message):
    """The error is the caller's, says what was asked for, and what would do."""
    with pytest.raises(ConfigurationError, match=message):
        TransformersModel(name or directory, **options).load()


def test_a_failed_load_is_tried_again(directory, tmp_path):
    """A path that appears later is loaded then."""
    folder = tmp_path / "later"
    source = TransformersModel(folder)
    with pytest.raises(ConfigurationError, match="there is no directory"):
        source.load()
    shutil.copytree(directory, folder)
    source.load()


def test_a_truncation_saved_with_the_tokenizer_is_taken_back(model, tokenizer):
    """It would cut prompts, and taking it back in a run would change the tokenizer under other runs."""
    other = deepcopy(tokenizer)
    other.backend_tokenizer.enable_truncation(2)
    TransformersModel(model, other).load()
    assert other.backend_tokenizer.truncation is None


def test_a_loaded_model_needs_its_tokenizer(model):
    """There is no guessing which tokenizer belongs to a model."""
    with pytest.raises(ConfigurationError, match="needs its tokenizer"):
        TransformersModel(model)


def test_options_of_loading_do_not_fit_a_loaded_model(model, tokenizer):
    """Nothing is silently ignored."""
    with pytest.raises(ConfigurationError, match="loaded already"):
        TransformersModel(model, tokenizer, dtype="bfloat16")


def test_a_model_in_training_mode_is_refused(model, tokenizer):
    """Dropout would make every answer a little wrong."""
    model.train()
    try:
        with pytest.raises(ConfigurationError, match=r"call model.eval\(\)"):
            adopt(model, tokenizer)
    finally:
        model.eval()


def test_what_is_no_causal_model_is_refused(tokenizer):
    """Models with an encoder and other objects are told apart from models that continue a text."""
    config = SimpleNamespace(is_encoder_decoder=True, name_or_path="t5")
    with pytest.raises(ConfigurationError, match="has an encoder"):
        adopt(SimpleNamespace(generate=print, config=config), tokenizer)
    with pytest.raises(ConfigurationError, match="are not a model and a tokenizer"):
        adopt(SimpleNamespace(), tokenizer)
