"""The travel guide answers plausibly, repeatably and to an end."""

import itertools

import pytest

from streamkit.testing.emulator.ngram import EOS, Sampling, split_pieces, travel_guide

QUESTION = "What can you do in Nuremberg, Germany? Give me 3 tips"
GREEDY = Sampling()
WARM = Sampling(temperature=1.0, seed=7)


def say(prompt, sampling=GREEDY):
    """Return an answer as text."""
    return "".join(token.text for token in travel_guide().continue_text(prompt, sampling))


def test_pieces_join_to_the_text():
    """Cutting loses nothing, whatever the text."""
    text = 'Hello, Wörld!  Two spaces,\n\na "quote" and antidisestablishmentarianism\t1234567890.'
    assert "".join(split_pieces(text)) == text


def test_long_words_are_several_pieces_and_the_first_carries_the_space():
    """Tokens look like those of a real vocabulary."""
    assert split_pieces("in Nuremberg") == ["in", " Nurembe", "rg"]


def test_the_tips_for_nuremberg_are_three_and_are_about_nuremberg():
    """The question of the guide's first page gets a plausible answer."""
    answer = say(QUESTION)
    assert all(f"\n{number}. " in answer for number in (1, 2, 3))
    assert "Castle" in answer


@pytest.mark.parametrize(("prompt", "word"), [("Tell me about Vienna!", "opera"), ("xyzzy", "emulator")])
def test_the_question_chooses_the_passage(prompt, word):
    """A city's name finds its passage, and nonsense finds the model's confession."""
    assert word in say(prompt)


def test_a_conversation_is_answered_by_its_last_question():
    """Earlier turns do not decide."""
    assert "ferry" in say("User: Vienna?\nAssistant: Yes.\nUser: And Hamburg?\nAssistant:")


def test_a_known_sentence_is_continued():
    """A prompt that ends within the guide goes on from there."""
    assert say("Take the tram number 22").startswith(" up to the castle")


def test_equal_seeds_give_equal_answers_and_others_differ():
    """The dice are the seed's."""
    answers = [say(QUESTION, Sampling(temperature=1.5, seed=seed)) for seed in (1, 1, 2, 3)]
    assert answers[0] == answers[1]
    assert len(set(answers)) > 1


def test_choosing_among_one_is_greedy():
    """`top_k=1` takes all heat out, and so does a tiny `top_p`."""
    greedy = say(QUESTION)
    assert say(QUESTION, Sampling(temperature=2.0, top_k=1)) == greedy
    assert say(QUESTION, Sampling(temperature=2.0, top_p=1e-9)) == greedy


def test_an_answer_ends_with_the_end_of_sequence_token():
    """The last token, and no other, is special."""
    tokens = list(itertools.islice(travel_guide().continue_text(QUESTION, WARM), 5000))
    assert tokens[-1].text == EOS
    assert [token.special for token in tokens] == [False] * (len(tokens) - 1) + [True]


def test_tokens_have_ids_and_probabilities():
    """Equal pieces have equal ids, and no logarithm is above zero."""
    tokens = list(travel_guide().continue_text(QUESTION, WARM))
    assert len({token.id for token in tokens}) == len({token.text for token in tokens})
    assert all(token.logprob <= 0 for token in tokens)
