"""A tiny model with random weights and a tiny tokenizer, saved to a directory and loaded as any other model is."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

os.environ["HF_HUB_OFFLINE"] = "1"  # read by huggingface_hub when it is imported

from streamkit_transformers import TransformersModel

CORPUS = ["The quick brown fox jumps over the lazy dog.", "Dürer lived in Nürnberg 🏰, says the guide."] * 4
SPECIAL = ["<s>", "</s>", "<|user|>", "<|assistant|>"]
TEMPLATE = (
    "<s>{% for message in messages %}"
    "{% if message.role not in ('user', 'assistant') %}{{ raise_exception('no such role') }}{% endif %}"
    "<|{{ message.role }}|>{{ message.content }}{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
PROMPT = "The quick brown"


@pytest.fixture(scope="session")
def tokenizer() -> Any:
    """A byte-level BPE tokenizer, of the kind most models have."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=320, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), special_tokens=SPECIAL
    )
    backend.train_from_iterator(CORPUS, trainer)
    backend.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 0)])
    return PreTrainedTokenizerFast(tokenizer_object=backend, bos_token="<s>", eos_token="</s>", chat_template=TEMPLATE)


@pytest.fixture(scope="session", params=["llama", "gpt2"])
def directory(request: pytest.FixtureRequest, tokenizer: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory as `save_pretrained()` writes it, of two architectures: rotary and absolute positions."""
    import torch
    from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM

    torch.manual_seed(7)
    tokens: dict[str, Any] = {"vocab_size": len(tokenizer), "bos_token_id": 0, "eos_token_id": 1}
    if request.param == "llama":
        shape = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4}
        config: Any = LlamaConfig(**tokens, **shape, max_position_embeddings=128, initializer_range=0.3)
        model: Any = LlamaForCausalLM(config)
    else:
        config = GPT2Config(**tokens, n_embd=32, n_layer=2, n_head=4, n_positions=128, initializer_range=0.3)
        model = GPT2LMHeadModel(config)
    folder = tmp_path_factory.mktemp(request.param)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def source(directory: Path) -> TransformersModel:
    """The model behind its path, loaded once for all tests."""
    return TransformersModel(str(directory), device="cpu")


@pytest.fixture(scope="session")
def model(source: TransformersModel) -> Any:
    """The model that the source has loaded."""
    return source._ready().model


@pytest.fixture
def ids(tokenizer: Any) -> list[int]:
    """The ids of the prompt."""
    return tokenizer(PROMPT)["input_ids"]


@pytest.fixture
def greedy(model: Any, ids: list[int]) -> list[int]:
    """What `generate` itself answers to the prompt."""
    import torch

    answer = model.generate(torch.tensor([ids]), attention_mask=torch.ones(1, len(ids)), max_new_tokens=24)
    return answer[0, len(ids) :].tolist()


@pytest.fixture
def watch(model: Any) -> Callable[..., Any]:
    """Count the forward passes within a block, and call something before each."""

    @contextmanager
    def watching(before: Callable[[], object] = lambda: None) -> Iterator[list[int]]:
        passes: list[int] = []

        def count(*_: object) -> None:
            passes.append(len(passes))
            before()

        hook = model.register_forward_pre_hook(count)
        try:
            yield passes
        finally:
            hook.remove()

    return watching
