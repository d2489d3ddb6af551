"""One answer, token by token: held to what `generate` itself answers."""

from __future__ import annotations

from copy import copy, deepcopy

import attrs
import pytest
import torch
from streamkit import ConfigurationError, Finish, GenerationError, Request, Token, Usage

from streamkit_transformers import TransformersModel
from streamkit_transformers._generation import Generation

PROMPT = "The quick brown"


@pytest.fixture
def answer(source):
    """Ask the model, and return the tokens and the end."""

    def ask(loaded=None, stop=(), **parameters):
        generation = Generation(loaded or source._ready(), Request(prompt=PROMPT, parameters=parameters, stop=stop))
        batches = list(iter(generation.step, ()))
        assert all(type(event) is Token for batch in batches[:-1] for event in batch)
        *tokens, finish = [event for batch in batches for event in batch]
        assert type(finish) is Finish
        return tokens, finish

    return ask


def ended_by(model, tokenizer, eos):
    """The model with other end marks, without loading it again."""
    other = copy(model)
    other.generation_config = deepcopy(model.generation_config)
    other.generation_config.eos_token_id = eos
    return TransformersModel(other, tokenizer)._ready()


def test_the_tokens_are_those_of_generate(answer, greedy):
    """Without sampling, the ids are the very ids that `generate` returns."""
    tokens, finish = answer(max_new_tokens=24)
    assert [token.id for token in tokens] == greedy
    assert finish.reason == "length"


def test_the_text_is_that_of_the_tokenizer(answer, greedy, tokenizer, ids):
    """The pieces join to what decoding the whole answer gives."""
    tokens, _ = answer(max_new_tokens=24)
    whole = tokenizer.decode([*ids, *greedy])
    assert tokenizer.decode(ids) + "".join(token.text for token in tokens) == whole


def test_usage_counts_the_tokens_of_prompt_and_answer(answer, ids):
    """The counts are those of the tokenizer, with the start token."""
    _, finish = answer(max_new_tokens=3)
    assert finish.usage == Usage(prompt_tokens=len(ids), completion_tokens=3, total_tokens=len(ids) + 3)


def test_log_probabilities_are_those_of_one_pass_over_the_whole(answer, model, ids):
    """A token's logprob is the natural logarithm of what the model gave it."""
    tokens, _ = answer(max_new_tokens=12)
    chosen = [token.id for token in tokens]
    with torch.no_grad():
        logits = model(torch.tensor([[*ids, *chosen]])).logits[0, len(ids) - 1 : -1]
    expected = logits.log_softmax(-1)[range(12), chosen].tolist()
    assert [token.logprob for token in tokens] == pytest.approx(expected, abs=1e-4)


def test_log_probabilities_are_those_of_the_scores_that_were_drawn_from(answer):
    """With one candidate left, its probability is one."""
    tokens, _ = answer(max_new_tokens=5, top_k=1)
    assert [token.logprob for token in tokens] == [0.0] * 5


def test_a_seed_gives_what_generate_gives_after_manual_seed(answer, model, ids):
    """Sampling is that of `generate`, draw for draw, with every parameter applied in its order."""
    parameters = {"temperature": 1.3, "top_k": 40, "top_p": 0.95, "repetition_penalty": 1.1, "min_p": 0.001}
    torch.manual_seed(11)
    expected = model.generate(
        torch.tensor([ids]), attention_mask=torch.ones(1, len(ids)), do_sample=True, max_new_tokens=20, **parameters
    )
    tokens, _ = answer(max_new_tokens=20, seed=11, **parameters)
    sampled = expected[0, len(ids) :].tolist()
    assert [token.id for token in tokens] == sampled[: len(tokens)]
    assert len(tokens) == 20 or sampled[len(tokens) - 1] == 1


def test_a_run_leaves_the_random_numbers_of_the_program_alone(answer):
    """Whoever seeds torch for other work gets the same numbers with and without a run in between."""
    torch.manual_seed(5)
    expected = torch.rand(3).tolist()
    torch.manual_seed(5)
    answer(max_new_tokens=4, temperature=1.5, seed=1)
    answer(max_new_tokens=4, temperature=1.5)
    assert torch.rand(3).tolist() == expected


def test_an_end_mark_ends_the_answer_and_is_its_last_token(answer, tokenizer, source):
    """The mark is a special token with the text that `eos` names."""
    tokens, finish = answer(max_new_tokens=6, extra={"forced_eos_token_id": 1})
    assert finish.reason == "eos_token"
    assert finish.usage.completion_tokens == 6
    assert (tokens[-1].id, tokens[-1].text, tokens[-1].special) == (1, "</s>", True)
    assert tokens[-1].text in source.eos
    assert [token.special for token in tokens] == [token.id in tokenizer.all_special_ids for token in tokens]


def test_any_of_several_end_marks_ends_the_answer(answer, model, tokenizer, greedy):
    """A mark that is no special token ends the answer too, and stays ordinary text."""
    mark = greedy[4]
    tokens, finish = answer(ended_by(model, tokenizer, [1, mark]), max_new_tokens=24)
    assert [token.id for token in tokens] == greedy[: greedy.index(mark) + 1]
    assert (finish.reason, tokens[-1].special) == ("eos_token", False)


def test_a_model_without_end_marks_goes_on_to_its_limit(answer, model, tokenizer, greedy):
    """Nothing ends it but the length."""
    silent = deepcopy(tokenizer)
    silent.eos_token = None
    tokens, finish = answer(ended_by(model, silent, None), max_new_tokens=8)
    assert (len(tokens), finish.reason) == (8, "length")


def test_a_special_token_inside_is_marked_and_half_a_character_before_it_released(answer, tokenizer):
    """A control token cuts a character for good; both are shown for what they are."""
    half, control, letter = (tokenizer.convert_tokens_to_ids(piece) for piece in ("Ã", "<|user|>", "x"))
    bias = [[[half], 1e4], [[half, control], 1e5], [[control, letter], 1e5]]
    tokens, _ = answer(max_new_tokens=3, extra={"sequence_bias": bias})
    assert [(token.text, token.id, token.special, token.cont) for token in tokens] == [
        ("", half, False, False),
        ("\ufffd", None, False, True),
        ("<|user|>", control, True, False),
        ("x", letter, False, False),
    ]


def test_the_last_token_releases_half_a_character(answer, tokenizer):
    """Nothing is held beyond the end."""
    half = tokenizer.convert_tokens_to_ids("Ã")
    tokens, _ = answer(max_new_tokens=1, extra={"sequence_bias": [[[half], 1e4]]})
    assert [token.text for token in tokens] == ["\ufffd"]


def test_a_stop_hint_ends_the_answer_with_the_token_that_completes_it(answer):
    """The model stops working; the cut is the pipeline's."""
    everything = "".join(token.text for token in answer(max_new_tokens=24)[0])
    stop = everything[4:7]
    tokens, finish = answer(max_new_tokens=24, stop=[stop])
    text = "".join(token.text for token in tokens)
    assert (finish.reason, finish.stop) == ("stop_sequence", stop)
    assert stop in text
    assert stop not in "".join(token.text for token in tokens[:-1])


def test_stop_strings_of_the_models_own_configuration_are_heeded(answer, model, tokenizer):
    """`generate` itself refuses them in a loop that is not its own."""
    everything = "".join(token.text for token in answer(max_new_tokens=24)[0])
    loaded = ended_by(model, tokenizer, 1)
    loaded.model.generation_config.stop_strings = everything[4:7]
    assert answer(loaded, max_new_tokens=24)[1].stop == everything[4:7]


def test_without_a_limit_the_answer_ends_where_the_context_does(answer, model, tokenizer):
    """The default of twenty tokens is for notebooks; the model's context is the limit."""
    loaded = ended_by(model, tokenizer, 10_000)
    _, finish = answer(loaded)
    assert finish.usage.total_tokens == 128
    assert finish.reason == "length"
    assert answer(loaded, max_new_tokens=500)[1].usage.total_tokens == 128


def test_a_model_without_a_context_has_the_default_of_generate(answer, model, tokenizer):
    """Where nobody names a limit, transformers' own holds, and transformers says so."""
    loaded = attrs.evolve(ended_by(model, tokenizer, 10_000), context=None)
    with pytest.warns(UserWarning, match="recommend setting `max_new_tokens`"):
        assert answer(loaded)[1].usage.completion_tokens == 20


@pytest.mark.parametrize(("length", "total"), [(20, 20), (2, 128)])
def test_a_length_of_the_models_own_configuration_holds_where_it_can(answer, model, tokenizer, length, total):
    """A length that the prompt alone exceeds says nothing of the answer."""
    loaded = ended_by(model, tokenizer, 10_000)
    loaded.model.generation_config.max_length = length
    assert answer(loaded)[1].usage.total_tokens == total


def test_a_limit_of_the_models_own_configuration_counts_the_answer_alone(answer, model, tokenizer):
    """Where the model's maker set a limit for answers, it is the default, and the request's wins."""
    loaded = ended_by(model, tokenizer, 10_000)
    loaded.model.generation_config.max_new_tokens = 5
    assert answer(loaded)[1].usage.completion_tokens == 5
    assert answer(loaded, max_new_tokens=9)[1].usage.completion_tokens == 9


def test_a_criterion_of_generate_ends_the_answer(answer):
    """What `generate` would stop for stops the answer too."""
    tokens, finish = answer(max_new_tokens=24, extra={"max_time": 0.0})
    assert (len(tokens), finish.reason) == (1, "length")


def test_a_model_without_a_cache_gives_the_same_answer(answer, greedy):
    """The cache saves time and changes nothing."""
    tokens, _ = answer(max_new_tokens=24, extra={"use_cache": False})
    assert [token.id for token in tokens] == greedy


@pytest.mark.parametrize(
    "parameters", [{"temperature": -1.0}, {"min_p": 7.0}, {"extra": {"unheard_of": 1}}, {"extra": {"generator": 1}}]
)
def test_values_that_generate_refuses_are_the_callers_mistake(answer, parameters):
    """They are found before the first pass."""
    with pytest.raises(ConfigurationError, match="the parameters do not suit"):
        answer(max_new_tokens=4, **parameters)


def test_a_model_that_raises_fails_the_answer_after_the_tokens_it_gave(source, watch):
    """The error says how far the answer got, and keeps its cause."""

    def fail():
        if len(passes) == 3:
            raise RuntimeError("out of memory")

    generation = Generation(source._ready(), Request(prompt=PROMPT))
    with watch(fail) as passes:
        assert [len(generation.step()) for _ in range(2)] == [1, 1]
        with pytest.raises(GenerationError, match="failed after 2 tokens: RuntimeError: out of memory") as caught:
            generation.step()
    assert isinstance(caught.value.__cause__, RuntimeError)


def test_a_closed_answer_computes_nothing_more(source, watch):
    """No pass follows a close, and closing twice does no harm."""
    generation = Generation(source._ready(), Request(prompt=PROMPT))
    with watch() as passes:
        generation.step()
        generation.close()
        generation.close()
        assert generation.step() == ()
    assert len(passes) == 1
