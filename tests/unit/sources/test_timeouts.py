"""Limits of time."""

import attrs
import pytest

from streamkit.errors import ConfigurationError
from streamkit.sources import Timeouts

NAMES = [field.name for field in attrs.fields(Timeouts)]


def test_none_is_infinite_by_default():
    """A stuck server does not hang a program for ever."""
    assert all(0 < getattr(Timeouts(), name) < 10_000 for name in NAMES)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("value", [0, -1, float("inf"), float("nan"), None, "5"])
def test_what_is_no_limit_is_refused(name, value):
    """The message names the option."""
    with pytest.raises(ConfigurationError, match=f"{name} is"):
        Timeouts(**{name: value})


def test_whole_seconds_are_fine():
    """An int is a number."""
    assert Timeouts(total=5).total == 5
