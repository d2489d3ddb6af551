"""The transforms give exactly what the language-neutral vectors say."""

import json
from itertools import accumulate, chain
from pathlib import Path

import pytest

from streamkit.events import Finish, Token
from streamkit.request import Request
from streamkit.run import Run
from streamkit.testing.feeding import visible
from streamkit.transforms import ScrubEos, SkipSpecialTokens, StopSequences

CASES = [
    pytest.param(case, id=f"{path.stem}-{case['name']}")
    for path in sorted((Path(__file__).parent / "vectors").glob("*.json"))
    for case in json.loads(path.read_text("utf-8"))["cases"]
]
REASONS = {"stop": "stop_sequence", "eos": "eos_token", "end": None}


def chain_of(settings):
    """Compose the chain that a vector's settings describe."""
    transforms = []
    if settings["eos_mode"] != "off":
        transforms.append(ScrubEos(settings["eos"], mode=settings["eos_mode"]))
    if settings["skip_special"]:
        transforms.append(SkipSpecialTokens())
    if settings["stops"]:
        transforms.append(StopSequences(settings["stops"], include_stop=settings["include_stop"]))
    return transforms


def stepwise(case):
    """Feed a vector's tokens and return what left after each, and what left at the end."""
    run = Run(Request(prompt=""), chain_of(case["settings"]))
    steps = [
        list(run.feed(Token(token["text"], id=index, logprob=-1.0, special=token["special"])))
        for index, token in enumerate(case["tokens"])
    ]
    return steps, list(run.end())


def kept(events, count):
    """Return how many characters of each token are among the events; the pieces of a token follow its id."""
    characters = [0] * count
    owner = None
    for event in events:
        if isinstance(event, Token):
            assert event.cont == (event.id is None), "an id leaves with the first piece and with no other"
            owner = owner if event.cont else event.id
            characters[owner] += len(event.text)
    return characters


@pytest.mark.parametrize("case", CASES)
def test_vector(case):
    """Each vector's text, finish, stop and kept characters come out as the oracle found them."""
    steps, rest = stepwise(case)
    expect, tokens = case["expect"], case["tokens"]
    events = [*chain.from_iterable(steps), *rest]
    finish = events[-1]
    fired = next((index for index, step in enumerate(steps) if step and isinstance(step[-1], Finish)), len(tokens))

    shown = list(accumulate(map(visible, steps)))
    assert shown[:fired] == expect["visible"][:fired]
    assert all(text == expect["final"] for text in shown[fired:]), "the engine flushes as soon as the stream has ended"
    assert visible(events) == expect["final"]
    assert (finish.reason, finish.stop) == (REASONS[expect["finish"]], expect["matched"])
    assert kept(events, len(tokens)) == expect["kept"]
    if expect["finish"] == "stop":
        assert min(fired, len(tokens) - 1) == expect["stop_token"]
        hidden = case["settings"]["skip_special"] and tokens[expect["stop_token"]]["special"]
        assert expect["matched_by"] == ("special" if hidden else "text")
