"""Check digits: what tells a card number or an IBAN from other numbers."""

from __future__ import annotations

from collections.abc import Callable

from stdnum import iban, luhn


def card_length(match: str) -> int:
    """Return how many of the first characters are a card number, by Luhn's check (ISO/IEC 7812-1 annex B)."""
    return _longest(match, _is_card)


def iban_length(match: str) -> int:
    """Return how many of the first characters are an IBAN: its country's length, and 1 modulo 97 (ISO 13616-1)."""
    return _longest(match, _is_iban)


def _is_card(number: str) -> bool:
    digits = number.replace(" ", "").replace("-", "")
    return len(digits) >= 13 and luhn.is_valid(digits)


def _is_iban(number: str) -> bool:
    return iban.is_valid(number, check_country=False)  # a bank that its country does not list is still an account


def _longest(match: str, valid: Callable[[str], bool]) -> int:
    """Leave out groups at the end until the rest is valid: a number may be followed by another one, or by words."""
    end = len(match)
    while end > 0 and not valid(match[:end]):
        end = max(match.rfind(" ", 0, end), match.rfind("-", 0, end))
    return max(end, 0)
