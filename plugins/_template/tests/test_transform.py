"""The transform keeps the laws of transforms, and does what it is for."""

import pytest
from streamkit import ConfigurationError, Token
from streamkit.testing import assert_transform_contract, feed_every_way, visible

from streamkit_template import Template


def test_it_keeps_the_laws_of_transforms():
    """However the engine cuts its text, the same text leaves, and more; a failure shows the smallest stream."""
    assert_transform_contract(Template(old="EUR ", new="€"))


def test_the_phrase_is_replaced_wherever_it_is_cut():
    """The tokens are fed as they are, whole, one character at a time and in random cuts."""
    events = feed_every_way(Template(), [Token("Do not ut"), Token("ilize it; it is utili"), Token("ty")])
    assert visible(events) == "Do not use it; it is utility"


def test_a_phrase_must_be_given():
    """A setting that cannot work is refused before anything is asked."""
    with pytest.raises(ConfigurationError, match="is empty"):
        Template(old="")
