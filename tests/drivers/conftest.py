"""The drivers that a test is played with, and what they read."""

import pytest

from drivers.playing import ASYNC, SYNC
from streamkit.events import Token


@pytest.fixture(params=["sync", *ASYNC])
def driver(request):
    """Each driver in turn, the asynchronous one on both event loops."""
    return SYNC if request.param == "sync" else ASYNC[request.param]


@pytest.fixture(params=list(ASYNC))
def async_driver(request):
    """The asynchronous driver on both event loops."""
    return ASYNC[request.param]


@pytest.fixture
def hello():
    """A script of two batches of tokens, without an end."""
    return [[Token("Hel")], [Token("lo"), Token("!")]]
