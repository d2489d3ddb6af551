"""Text that comes token by token."""

from __future__ import annotations

import random

import pytest

from streamkit_transformers._text import PATIENCE, IncrementalText

TEXTS = ["The lazy dog.", "  two  spaces ", "Dürer 🏰🏰 in Nürnberg", "日本語のテキスト", "a\n\n\tb", "👩‍👩‍👧‍👦!", ""]


def pieces(tokenizer, ids, prompt=()):
    """Push ids and return the text of each, what was held back last."""
    text = IncrementalText(tokenizer, prompt)
    return [*(text.push(token_id) for token_id in ids), text.flush()]


@pytest.fixture(scope="module")
def sentencepiece():
    """A tokenizer that marks spaces and spells unknown characters in bytes, as Llama 2's does."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    letters = ["<unk>", *(f"<0x{byte:02X}>" for byte in range(256)), *"▁abcdegiklnoprtuwyzTDN.!s", "▁d", "▁do", "▁dog"]
    vocabulary = {piece: number for number, piece in enumerate(letters)}
    merges = [("▁", "d"), ("▁d", "o"), ("▁do", "g")]
    backend = Tokenizer(models.BPE(vocabulary, merges, byte_fallback=True, unk_token="<unk>", fuse_unk=True))
    backend.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first", split=False)
    backend.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    return PreTrainedTokenizerFast(tokenizer_object=backend, unk_token="<unk>")


@pytest.mark.parametrize("text", TEXTS)
def test_the_pieces_are_the_text_for_a_byte_level_vocabulary(tokenizer, text):
    """Whatever the cuts between tokens, the joined pieces are the text."""
    ids = tokenizer(text, add_special_tokens=False)["input_ids"]
    assert "".join(pieces(tokenizer, ids)) == text


@pytest.mark.parametrize("text", TEXTS)
def test_the_pieces_are_the_text_for_a_vocabulary_with_marked_spaces(sentencepiece, text):
    """Spaces between tokens survive, and characters spelled in bytes are put together."""
    ids = sentencepiece(text, add_special_tokens=False)["input_ids"]
    assert "".join(pieces(sentencepiece, ids)) == sentencepiece.decode(ids)


def test_a_character_appears_with_the_token_that_completes_it(tokenizer):
    """A token that completes no character has no text, and no replacement character is ever shown for it."""
    ids = [tokenizer.convert_tokens_to_ids(piece) for piece in ("ð", "Ł", "ĺ", "Ģ")]  # the bytes of U+1F600
    assert pieces(tokenizer, ids) == ["", "", "", "😀", ""]


def test_a_token_that_ends_inside_a_character_shows_what_comes_before_it(tokenizer):
    """Only the incomplete character waits, not the whole characters in the same run of tokens."""
    umlaut = [tokenizer.convert_tokens_to_ids(piece) for piece in "Ã¤"]
    text = IncrementalText(tokenizer, ())
    assert [text.push(token_id) for token_id in (*umlaut, *umlaut)] == ["", "ä", "", "ä"]


def test_the_space_before_the_first_token_depends_on_the_prompt(sentencepiece):
    """A first token is read behind the prompt, so the space between them is not lost."""
    ids = sentencepiece("a dog", add_special_tokens=False)["input_ids"]
    assert "".join(pieces(sentencepiece, ids[-1:], prompt=ids[:-1])) == " dog"


def test_bytes_that_form_no_character_are_shown_after_a_while(tokenizer):
    """A model that writes broken bytes for ever does not hold the text for ever."""
    broken = tokenizer.convert_tokens_to_ids("ÿ")
    shown = [piece for piece in pieces(tokenizer, [broken] * (PATIENCE + 1))[:-1] if piece]
    assert shown == ["\ufffd" * (PATIENCE + 1)]


def test_flush_releases_half_a_character_once(tokenizer):
    """What is never completed leaves as a replacement character, once."""
    text = IncrementalText(tokenizer, ())
    assert text.push(tokenizer.convert_tokens_to_ids("Ã")) == ""
    assert [text.flush(), text.flush()] == ["\ufffd", ""]


def test_a_special_token_cuts_a_character_for_good(tokenizer):
    """What follows a special token is never joined with what came before it."""
    first, second = (tokenizer.convert_tokens_to_ids(piece) for piece in "Ã¤")
    text = IncrementalText(tokenizer, ())
    text.push(first)
    text.flush()
    text.skip(tokenizer.eos_token_id)
    assert [text.push(second), text.flush()] == ["", "\ufffd"]


@pytest.mark.parametrize("seed", range(20))
def test_random_ids_give_the_text_of_the_whole(tokenizer, seed):
    """Even for nonsense the pieces join to what decoding all ids at once gives."""
    rng = random.Random(seed)
    ids = [rng.randrange(4, len(tokenizer)) for _ in range(200)]
    assert "".join(pieces(tokenizer, ids)) == tokenizer.decode(ids)
