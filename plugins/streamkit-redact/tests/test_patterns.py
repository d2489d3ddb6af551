"""Each kind that comes with the package: what it masks, what it leaves alone; and what a pattern must be."""

from __future__ import annotations

import pytest
from streamkit import ConfigurationError, Token
from streamkit.testing.feeding import feed_every_way, visible

from streamkit_redact import KINDS, Pattern, Redact

MASKED = {
    "email": ["bob@example.org", "müller@straße.de", "a.b+c_d%e@x-y.co.uk", "'o@x.io"],
    "phone": ["+14155552671", "+49 (0)911 / 123-45", "(415) 555-2671", "1-415-555-2671", "415.555.2671"],
    "card": ["4111111111111111", "5500-0000-0000-0004", "3400 000000 00009", "6011000990139424"],
    "iban": ["DE89370400440532013000", "GB82 WEST 1234 5698 7654 32", "be68 5390 0754 7034", "NO93 8601 1117 947"],
    "api_key": [
        "hf_" + "aB3" * 12, "sk-proj-" + "a_B-" * 9, "sk-ant-api03-" + "x" * 40, "ghp_" + "a1" * 18,
        "github_pat_" + "A_b" * 20, "glpat-" + "x-_Y" * 5, "xoxb-1234567890-abc", "AIza" + "x" * 35,
        "sk_live_" + "a" * 24, "npm_" + "a" * 36, "pypi-" + "a" * 60, "gsk_" + "a" * 52, "r8_" + "a" * 37,
    ],
    "aws_key": ["AKIA" + "ABCD2345" * 2, "ASIA" + "Z" * 16],
    "jwt": ["eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2ln_bm-F0"],
    "private_key": [
        "-----BEGIN PRIVATE KEY-----\nMIIE/+vQ==\n-----END PRIVATE KEY-----",
        "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nab\n-----END RSA PRIVATE KEY-----",
        "-----BEGIN PGP PRIVATE KEY BLOCK-----\nVersion: GnuPG v2 (x)\n\nab\n-----END PGP PRIVATE KEY BLOCK-----",
    ],
}  # fmt: skip
LEFT_ALONE = {
    "email": ["@bob", "a @ b.de", "bob@localhost", "1@2"],
    "phone": ["2024-01-02", "+1 2", "12345678901", "3.14159265358979", "+1234567890123456"],
    "card": ["4111111111111112", "1234567890123", "41111111111111111111", "0000000000000"],
    "iban": ["DE89370400440532013001", "AB12 34 is no account", "XX00"],
    "api_key": ["hf_hub_download", "risk-based-assessments-for-everyone", "sk-learn", "npm_run"],
    "aws_key": ["AKIAB", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"],
    "jwt": ["eyJhbGciOiJIUzI1NiJ9", "eyes"],
    "private_key": ["-----BEGIN CERTIFICATE-----\nMIIE\n-----END CERTIFICATE-----", "-----"],
}


def test_every_kind_has_examples():
    """A kind that is added needs texts that it masks and texts that it leaves alone."""
    assert set(MASKED) == set(LEFT_ALONE) == set(KINDS)


@pytest.mark.parametrize(("kind", "secret"), [(kind, secret) for kind in MASKED for secret in MASKED[kind]])
def test_masks_all_of_a_secret(kind, secret):
    """However it is cut, all of the secret is masked and nothing around it, at the end of the text too."""
    label = KINDS[kind][0].label
    assert visible(feed_every_way(Redact(kinds=kind), [Token(f"is {secret} ok")])) == f"is [{label}] ok"
    assert visible(feed_every_way(Redact(kinds=kind), [Token(f"({secret}")])) == f"([{label}]"


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind in LEFT_ALONE for text in LEFT_ALONE[kind]])
def test_leaves_other_text_alone(kind, text):
    """What only looks like a secret stays."""
    assert visible(feed_every_way(Redact(kinds=kind), [Token(f"is {text} ok")])) == f"is {text} ok"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("char", "aA0@-.+_ ")
def test_a_run_of_one_character_is_held_within_the_stated_length(kind, char):
    """Each pattern keeps the length it states, and reading on costs no more than the text."""
    machine = Redact(kinds=kind, mask="*").start()
    fed = shown = 0
    for _ in range(150):
        fed += 10
        shown += len(visible(machine.feed(Token(char * 10))))
        assert fed - shown < max(pattern.max_length for pattern in KINDS[kind])


def test_a_pattern_without_a_longest_match_is_kept_to_its_stated_length():
    """Only matches within the stated length count, and no more than that is held for them."""
    redact = Redact(kinds=(), patterns=[Pattern(label="x", regex="a+b", max_length=4)])
    assert visible(feed_every_way(redact, [Token("aaaaaab")])) == "aaa[x]"
    assert visible(redact.start().feed(Token("a" * 10))) == "a" * 7


def test_a_secret_access_key_is_known_by_its_name():
    """Forty characters of base64 are a secret only after the name that AWS gives them."""
    text = 'aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\n{"SecretAccessKey": "' + "a" * 40 + '"}'
    expected = 'aws_secret_access_key = [aws_key]\n{"SecretAccessKey": "[aws_key]"}'
    assert visible(feed_every_way(Redact(kinds=["aws_key"]), [Token(text)])) == expected


@pytest.mark.parametrize("after", [" EUR", " AND THEN MORE", " 123", ", thanks"])
def test_groups_after_a_number_are_not_part_of_it(after):
    """An IBAN or a card number is found although words or numbers follow that look like more groups of it."""
    assert visible(feed_every_way(Redact(), [Token(f"BE68 5390 0754 7034{after}")])) == f"[iban]{after}"
    assert visible(feed_every_way(Redact(), [Token(f"4111 1111 1111 1111{after}")])) == f"[card]{after}"


def test_prose_goes_on_after_a_key_that_has_no_end_line():
    """A sentence about the first line of a key file loses that line and what could be the key, not the rest."""
    text = "A file with -----BEGIN PRIVATE KEY----- in it is `secret`."
    assert visible(feed_every_way(Redact(), [Token(text)])) == "A file with [private_key]`secret`."


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"regex": "("}, "not a regular expression"),
        ({"regex": "a*"}, "matches nothing"),
        ({"max_length": 0}, "max_length"),
        ({"max_length": True}, "max_length"),
        ({"until": "["}, "end of a mask"),
    ],
)
def test_patterns_that_cannot_work_are_refused(options, message):
    """A mistake in a pattern is named when it is made."""
    with pytest.raises(ConfigurationError, match=message):
        Pattern(**({"label": "x", "regex": "a", "max_length": 1} | options))
