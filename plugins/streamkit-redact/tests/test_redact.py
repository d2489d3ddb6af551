"""The transform as a whole, against the brute-force oracle, in every cut of the text."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from streamkit import ConfigurationError, Finish, Token, ToolCallDelta
from streamkit.testing.feeding import feed_every_way, run_chain, visible

from oracle import redacted
from streamkit_redact import KINDS, Pattern, Redact


def _second_digit(match):
    """Mean the first two characters of a match that holds a 2, and no other match."""
    return 2 if "2" in match else 0


PATTERNS = (
    Pattern(label="mail", regex=r"[ab.]{1,3}@(?:[ab]{1,2}\.){1,2}[ab]{2,3}", max_length=3 + 1 + 6 + 3),
    Pattern(label="key", regex=r"(?<![ab])k-[ab]{2}", max_length=4, until=r"(?=[^ab])"),
    Pattern(label="block", regex=r"<<", max_length=2, until=r">>|(?=@)"),
    Pattern(label="number", regex=r"(?<![0-9])[12](?: ?[12]){2,4}(?![0-9])", max_length=10, check=_second_digit),
    Pattern(label="first", regex=r"ab|abb", max_length=3),
)
WORDS = ("abab", "bb", "ba k", "@@")
TEXT = st.text(alphabet="abk.@-<>12 ", max_size=40)
CHANCE = st.lists(
    st.sampled_from(["ab", "a.b", "@", "ab.ab", "k-", "aba", "<<", ">>", "12", " ", "1 ", "221", "bb"]), max_size=16
).map("".join)
LONGEST = max(pattern.max_length for pattern in PATTERNS)


def _cut(text, places):
    bounds = sorted({0, *(place % (len(text) + 1) for place in places), len(text)})
    return [text[start:end] for start, end in pairwise(bounds)]


def _shown_after_each(redact, tokens):
    machine = redact.start()
    shown = ""
    for token in tokens:
        shown += visible(machine.feed(token))
        yield shown
    yield shown + visible(machine.flush())


@pytest.mark.parametrize("mask", ["label", "*"])
@given(text=TEXT | CHANCE, places=st.lists(st.integers(0, 60), max_size=20))
def test_shows_what_the_oracle_shows_and_never_takes_back_or_runs_ahead(mask, text, places):
    """After each token, what was shown begins the final text, whatever follows: so no masked character ever was."""
    redact = Redact(kinds=(), secrets=WORDS, patterns=PATTERNS, mask=mask)
    expected = redacted(text, PATTERNS, WORDS, mask=mask)
    moments = list(_shown_after_each(redact, [Token(piece) for piece in _cut(text, places)]))
    assert moments[-1] == expected
    assert all(expected.startswith(shown) for shown in moments)


@given(text=TEXT | CHANCE)
def test_what_is_shown_depends_on_the_characters_so_far_alone(text):
    """One character at a time shows after each one what a single token of the same characters shows."""
    redact = Redact(kinds=(), secrets=WORDS, patterns=PATTERNS)
    for size, shown in enumerate(_shown_after_each(redact, [Token(char) for char in text]), 1):
        if size <= len(text):
            assert shown == next(_shown_after_each(redact, [Token(text[:size])]))


@given(text=TEXT | CHANCE)
def test_holds_back_less_than_the_longest_match(text):
    """At most one character less than the longest pattern is held back; a mask of characters shows the length."""
    redact = Redact(kinds=(), secrets=WORDS, patterns=PATTERNS, mask="*")
    for size, shown in enumerate(_shown_after_each(redact, [Token(char) for char in text]), 1):
        assert min(size, len(text)) - len(shown) <= LONGEST - 1


@given(
    text=st.text(alphabet="abc", max_size=12),
    words=st.sets(st.text(alphabet="abc", min_size=1, max_size=5), min_size=1),
)
def test_holds_back_exactly_what_can_become_a_fixed_string(text, words):
    """What is held is the longest suffix that begins one of the strings and is not yet decided."""
    redact = Redact(kinds=(), secrets=words, mask="*")
    shown = next(_shown_after_each(redact, [Token(text)])) if text else ""
    suffixes = (text[start:] for start in range(len(text)))
    held = next((s for s in suffixes if any(len(word) > len(s) and word.startswith(s) for word in words)), "")
    complete = [s for s in (text[start:] for start in range(len(text))) if s in words]  # a complete one may wait too
    longest = max((len(held), *map(len, complete)))
    assert len(held) <= len(text) - len(shown) <= longest


@given(text=TEXT | CHANCE, places=st.lists(st.integers(0, 60), max_size=20))
def test_an_id_leaves_only_with_all_of_its_text(text, places):
    """Tokens that no mask touches leave as the objects that came; of the others no id, logprob or raw is left."""
    redact = Redact(kinds=(), secrets=WORDS, patterns=PATTERNS, mask="*")
    came = [Token(piece, number, -0.5) for number, piece in enumerate(_cut(text, places))]
    left = [token for token in run_chain([redact], came) if isinstance(token, Token)]
    shown = iter(redacted(text, PATTERNS, WORDS, mask="*"))
    clean = [token for token in came if "".join(next(shown) for _ in token.text) == token.text]
    assert [token for token in left if token.id is not None] == clean
    assert all(token.logprob is None and token.raw is None for token in left if token.id is None)


@given(text=TEXT | CHANCE)
def test_the_laws_of_transforms_hold(text):
    """The text does not depend on the cut, nothing follows the finish, and ids leave once and in order."""
    feed_every_way(Redact(kinds=(), secrets=WORDS, patterns=PATTERNS), [Token(text, 1), Token("ab"), Token("", 2)])


def test_every_kind_is_found_in_every_cut():
    """One text with one secret of each kind loses them all, and nothing else."""
    text = (
        "Mail bob.o'hara@example.co.uk, call +49 (0)911 123-4567 or 415-555-2671. Card 4111 1111 1111 1111, account "
        "DE89 3704 0044 0532 0130 00 EUR; hf_" + "aB3" * 12 + ", AKIA" + "ABCD2345" * 2 + " and eyJhbGciOiJIUzI1NiJ9"
        ".eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl!\n-----BEGIN RSA PRIVATE KEY-----\nMIIB/+==\n-----END RSA PRIVATE KEY-----\n"
        "Bye."
    )
    assert visible(feed_every_way(Redact(), [Token(text, 7)])) == (
        "Mail [email], call [phone] or [phone]. Card [card], account [iban] EUR; [api_key], [aws_key] and [jwt]!\n"
        "[private_key]\nBye."
    )


def test_text_without_secrets_leaves_as_the_tokens_that_came():
    """Prose, numbers, code and CJK text pass token by token, ids and all."""
    text = (
        "In 2024, 1,234,567 people ate gingerbread; x = a[1] - b * 3.5e-7 # see docs/a-b_c. 纽伦堡很美。🏰 risk-based\n"
    )
    tokens = [Token(text[place : place + 3], place, -1.0) for place in range(0, len(text), 3)]
    left = run_chain([Redact()], tokens)[:-1]
    assert left == tokens
    assert all(after is before for after, before in zip(left, tokens, strict=True))


def test_prose_is_shown_with_the_next_word():
    """A word waits only until it can no longer be the beginning of an address; CJK text does not wait at all."""
    tokens = [Token("Nurem"), Token("berg"), Token(" is"), Token(" 很美"), Token("。")]
    shown = ["", "", "Nuremberg ", "Nuremberg is 很美", "Nuremberg is 很美。", "Nuremberg is 很美。"]
    assert list(_shown_after_each(Redact(), tokens)) == shown


def test_overlapping_matches_are_one_mask_named_after_the_first():
    """Masks that overlap are joined; masks that only touch are not."""
    redact = Redact(kinds=(), secrets=["bcd"], patterns=[Pattern(label="p", regex="abc|ef", max_length=3)])
    assert visible(feed_every_way(redact, [Token("xabcdefy")])) == "x[p][p]y"


def test_all_of_a_long_secret_is_hidden_when_a_shorter_one_ends_first():
    """The union is masked: a secret that contains another one leaves neither head nor tail."""
    assert visible(feed_every_way(Redact(kinds=(), secrets=["bcd", "abcde"]), [Token("-abcde-")])) == "-[secret]-"


def test_a_secret_of_any_length_is_hidden_without_holding_text():
    """From the moment a token is certain, its label is shown, and nothing is kept of what follows it."""
    machine = Redact(kinds=["api_key", "private_key"]).start()
    assert visible(machine.feed(Token("key hf_" + "a" * 30))) == "key [api_key]"
    for _ in range(1000):
        assert not machine.feed(Token("b" * 100))
    assert visible(machine.feed(Token(" ok"))) == " ok"


def test_a_broken_off_key_block_is_hidden_to_its_last_character():
    """A private key that the stream cuts off before its end line stays masked."""
    text = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqh"
    assert visible(feed_every_way(Redact(), [Token(text)])) == "[private_key]"


def test_held_text_leaves_when_the_channel_changes():
    """The last word of the reasoning is shown before the answer, and a secret torn by it is masked from there on."""
    tokens = [
        Token("I think 51.", channel="reasoning"),
        Token("It is "),
        Token("ham", channel="reasoning"),
        Token("51"),
    ]
    left = run_chain([Redact(secrets=["hammer"])], tokens)
    assert [token.text for token in left[:-1]] == ["I think ", "51.", "It is ", "ham", "51"]
    torn = [Token("ham"), Token("-", channel="reasoning"), Token("mer!")]
    assert visible(run_chain([Redact(kinds=(), secrets=["hammer"])], torn)) == "ham[secret]!"


def test_a_mask_that_goes_on_after_another_channel_has_one_label():
    """A complete match that leaves when the channel changes, and then goes on, is still one mask."""
    tokens = [Token("bob@example.co"), Token("-", channel="reasoning"), Token("m, ")]
    assert visible(run_chain([Redact()], tokens)) == "[email], "


def test_a_token_without_id_leaves_in_pieces():
    """What is decided leaves at once; the further pieces of the token say that they are."""
    left = run_chain([Redact()], [Token("Hi bob"), Token(" and"), Token("!", 3)])
    assert left[:-1] == [
        Token("Hi "),
        Token("bob", cont=True),
        Token(" "),
        Token("and", cont=True),
        Token("!", 3),
    ]


def test_tokens_without_text_do_not_disturb_a_match():
    """A hidden special token amidst a secret keeps its place, and the secret is masked."""
    hidden = Token("", 5, special=True, raw="<|x|>")
    left = run_chain([Redact(secrets=["hammer"])], [Token("ham"), hidden, Token("mer, ")])
    assert left == [Token("[secret]"), hidden, Token(", "), Finish()]


def test_nothing_else_tells_what_was_masked():
    """A token cut by an earlier transform gives up its id and raw text, unless the cut took only space away."""
    cut = Token(" ", 7, -0.1, raw=" hammer")
    left = run_chain(
        [Redact(kinds=(), secrets=["hammer"])], [Token("Hi", 6, raw=" Hi"), cut, Token("hammer", cont=True)]
    )
    assert left == [Token("Hi", 6), Token(" "), Token("[secret]", cont=True), Finish()]


def test_other_events_pass_at_once():
    """A piece of a tool call is not text, and does not wait behind text."""
    machine = Redact(secrets=["hammer"]).start()
    assert not machine.feed(Token("ham"))
    call = ToolCallDelta(arguments="hammer")
    assert machine.feed(call) == (call,)


def test_memory_is_bounded_by_the_patterns():
    """However long the text, only what a pattern could need is kept of it."""
    machine = Redact(secrets=["x" * 50]).start()
    for _ in range(300):
        machine.feed(Token("eyJ" + "a" * 97))
    assert len(machine._channels["text"]._text) < 1_200


def test_secrets_do_not_show_in_messages():
    """The recipe's repr, which error messages contain, says only how many secrets there are."""
    redact = Redact(secrets=["hammer", "hammer", "tongs"])
    assert "hammer" not in repr(redact)
    assert "secrets=<2>" in repr(redact)
    with pytest.raises(ConfigurationError) as raised:
        Redact(secrets=[b"hammer"])
    assert "hammer" not in str(raised.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kinds": ["emial"]}, "no kind 'emial'"),
        ({"kinds": []}, "nothing to redact"),
        ({"secrets": [""]}, r"secrets\[0\]"),
        ({"mask": "**"}, "single character"),
        ({"mask": ""}, "single character"),
    ],
)
def test_impossible_settings_are_refused(options, message):
    """A mistake is named when the recipe is made, before any run."""
    with pytest.raises(ConfigurationError, match=message):
        Redact(**options)


def test_recipes_are_values():
    """Recipes with equal settings are equal, and patterns may be tables of a configuration file."""
    table = {"label": "order", "regex": r"ORD-\d{6}", "max_length": 10}
    assert Redact(patterns=[table]) == Redact(patterns=(Pattern(**table),))
    assert Redact(kinds="email").kinds == ("email",)
    assert set(Redact().kinds) == set(KINDS)
