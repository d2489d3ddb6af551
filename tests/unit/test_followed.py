"""A chain that tells what it does."""

import pytest

from streamkit.events import Finish, Token
from streamkit.followed import Followed
from streamkit.testing import replay
from streamkit.transforms import ScrubEos, SkipSpecialTokens, StopSequences, recommended_transforms

CHAIN = (ScrubEos(), SkipSpecialTokens(), StopSequences("\nUser:"))


def _events(pipeline):
    with pipeline.stream("Hi") as stream:
        return list(stream.events())


def _nothing(_changes):
    return ()


@pytest.mark.parametrize("chain", [(), CHAIN, recommended_transforms(reasoning=True, stop="End")])
@pytest.mark.parametrize("finish", ["eos_token", Finish(reason="length"), None])
def test_following_changes_nothing(chain, finish):
    """What leaves a followed chain is what leaves the chain itself, the end included."""
    texts = ["<think>a</think>", "Hi</", "s>", "\nUs", "er", " E", "nd", " x"]
    source = replay([Token(each, id=number) for number, each in enumerate(texts)], finish=finish)
    assert _events(source | Followed(chain, _nothing)) == _events(source | chain)


def test_what_is_told_leaves_behind_the_text():
    """Also where nothing else leaves because it is held, and before the end."""

    def tell(changes):
        return [Token(" ".join(each.fate for each in changes), channel="told", cont=True)]

    events = _events(replay([Token("Hi", 1), Token("\nUs", 2), Token("er:", 3)]) | Followed(CHAIN, tell))
    assert [event.text for event in events[:-1]] == ["Hi", "passed", "held", "cut cut"]
    assert events[-1].reason == "stop_sequence"


def test_request_is_prepared_as_the_chain_would():
    """Stop sequences are still hinted to the server."""
    source = replay(["Hi"])
    (source | Followed(CHAIN, _nothing)).run("Hi")
    assert source.requests[-1].stop == ("\nUser:",)
