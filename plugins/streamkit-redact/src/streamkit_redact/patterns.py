"""What is searched: patterns of bounded length, and those that come with this package.

The shapes of tokens are those that their issuers document; card numbers are ISO/IEC 7812, IBANs ISO 13616, phone
numbers ITU-T E.164 and the North American Numbering Plan, e-mail addresses RFC 5321 section 4.5.3.1 with the letters
of RFC 6531, key files RFC 7468.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import attrs
import regex
from streamkit import ConfigurationError

from streamkit_redact.checks import card_length, iban_length

CONTEXT: Final = 64
"""Characters before a match that a pattern may look at, and the longest match of an `until`."""


def _compile(value: str, what: str) -> Any:
    try:
        return regex.compile(value)
    except (regex.error, TypeError) as error:
        raise ConfigurationError(f"the {what} {value!r} is not a regular expression: {error}") from error


def _check_regex(_: object, __: object, value: str) -> None:
    if _compile(value, "pattern").fullmatch(""):
        raise ConfigurationError(f"the pattern {value!r} matches nothing at all, which is everywhere: make it longer")


def _check_until(_: object, __: object, value: str | None) -> None:
    if value is not None:
        _compile(value, "end of a mask")


def _check_length(_: object, __: object, value: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ConfigurationError(f"max_length is a number of characters, at least 1, not {value!r}")


@attrs.frozen(kw_only=True)
class Pattern:
    r"""A regular expression of bounded length, and what its matches are called.

    The dialect is that of the `regex` package, which knows what could still become a match. A pattern has no
    anchors (`^`, `$`), and may look 64 characters back and one ahead.

    Args:
        label: What a match is replaced with, in brackets: `email` becomes `[email]`.
        regex: The expression: `r"ORD-\d{6}(?!\d)"`.
        max_length: The longest text it has to see, in characters, with the one that it looks ahead at. At most
            `max_length - 1` characters are held back for it.
        until: For matches without a longest length: let `regex` match the shortest beginning that is certain, and
            `until` what ends it; the mask goes on to the end of the first match of `until`, and nothing is held
            meanwhile. It is at most 64 characters long, and decided by its last one:
            `regex=r"tok_\w{20}", max_length=24, until=r"(?=\W)"`.
        check: Looks at a match and returns how many of its first characters are meant; 0 if it is a false alarm.

    Raises:
        ConfigurationError: An expression is wrong, or `max_length` is no length.
    """

    label: str
    regex: str = attrs.field(validator=_check_regex)
    max_length: int = attrs.field(validator=_check_length)
    until: str | None = attrs.field(default=None, validator=_check_until)
    check: Callable[[str], int] | None = None


_LETTER: Final = "A-Za-zÀ-ÖØ-öø-ɏͰ-ԯ"
"""Letters of words between spaces. Chinese or Thai, say, would make the sentence before an address part of it."""

_API_KEYS: Final = (
    r"hf_[A-Za-z0-9]{30}",  # Hugging Face
    r"(?<![A-Za-z0-9])sk-[A-Za-z0-9_-]{20}",  # OpenAI, Anthropic, OpenRouter; not "risk-..."
    r"gh[opsur]_[A-Za-z0-9]{36}",  # GitHub
    r"github_pat_[A-Za-z0-9_]{22}",  # GitHub, fine-grained
    r"glpat-[A-Za-z0-9_-]{20}",  # GitLab
    r"xox[abeoprs]-[A-Za-z0-9-]{10}",  # Slack
    r"AIza[A-Za-z0-9_-]{35}",  # Google
    r"[rs]k_(?:live|test)_[A-Za-z0-9]{16}",  # Stripe
    r"npm_[A-Za-z0-9]{36}",  # npm
    r"pypi-[A-Za-z0-9_-]{32}",  # PyPI
    r"gsk_[A-Za-z0-9]{32}",  # Groq
    r"r8_[A-Za-z0-9]{32}",  # Replicate
)

KINDS: Final[Mapping[str, tuple[Pattern, ...]]] = {
    "email": (
        Pattern(
            label="email",
            regex=rf"[{_LETTER}0-9_.%+'-]{{1,64}}@(?:[{_LETTER}0-9-]{{1,63}}\.){{1,5}}[{_LETTER}]{{2,24}}",
            max_length=64 + 1 + 5 * 64 + 24,
        ),
    ),
    "phone": (
        Pattern(
            label="phone",
            regex=r"(?<![A-Za-z0-9_+])\+[0-9](?:[ .()/-]{0,3}[0-9]){7,14}(?![0-9])",
            max_length=2 + 14 * 4 + 1,
        ),
        Pattern(
            label="phone",
            regex=r"(?<![A-Za-z0-9])(?:1[-. ])?(?:\([0-9]{3}\) ?|[0-9]{3}[-. ])[0-9]{3}[-. ][0-9]{4}(?![0-9])",
            max_length=2 + 6 + 8 + 1,
        ),
    ),
    "card": (
        Pattern(
            label="card",
            regex=r"(?<![0-9])[2-6](?:[ -]?[0-9]){12,18}(?![0-9])",
            max_length=1 + 18 * 2 + 1,
            check=card_length,
        ),
    ),
    "iban": (
        Pattern(
            label="iban",
            regex=r"(?<![A-Za-z0-9])[A-Za-z]{2}[0-9]{2}(?: ?[A-Za-z0-9]){11,30}(?![A-Za-z0-9])",
            max_length=4 + 30 * 2 + 1,
            check=iban_length,
        ),
    ),
    "api_key": (
        Pattern(
            label="api_key",
            regex="|".join(_API_KEYS),
            max_length=40,
            until=r"(?=[^A-Za-z0-9_-])",
        ),
    ),
    "aws_key": (
        Pattern(label="aws_key", regex=r"(?<![A-Z0-9])A(?:KIA|SIA)[A-Z2-7]{16}", max_length=20),
        Pattern(
            label="aws_key",
            # A secret key has no shape of its own: 40 characters of base64, known by the name before it.
            regex=r"(?<=(?i:secret_?access_?key)[\"']?\s{0,2}[:=]\s{0,2}[\"']?)[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+])",
            max_length=41,
        ),
    ),
    "jwt": (
        Pattern(
            label="jwt",
            regex=r"eyJ[A-Za-z0-9_-]{8,1000}\.eyJ[A-Za-z0-9_-]{8}",  # base64url of '{"', twice (RFC 7519)
            max_length=3 + 1000 + 1 + 3 + 8,
            until=r"(?=[^A-Za-z0-9_.-])",
        ),
    ),
    "private_key": (
        Pattern(
            label="private_key",
            regex=r"-----BEGIN (?:[A-Z0-9]{2,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----",
            max_length=11 + 3 * 13 + 11 + 6 + 5,
            # Where the block is broken off, at the first character that none has: prose goes on soon enough.
            until=r"-----END [A-Z0-9 ]{4,32}-----|(?=[^A-Za-z0-9+/=\s:,()\\.-])",
        ),
    ),
}
"""The patterns that come with this package, by the name of their kind."""
