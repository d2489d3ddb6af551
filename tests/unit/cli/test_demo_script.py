"""What the emulated model of the demo says."""

import types

from streamkit.cli.demo_script import SCRIPT, STOP, answer


def _texts(question):
    return [token.text for token in answer(types.SimpleNamespace(body={"inputs": question}))]


def test_every_difficulty_is_in_the_script():
    """Specials, a false alarm, a split character, a stop inside a token and a spelled end mark are all shown."""
    tram, tarts = map(_texts, SCRIPT)

    assert tram[0] == "<s>"
    assert "\nUse" in "".join(tram)
    assert bytes(int(text[3:5], 16) for text in tram if text.startswith("<0x")).decode() == "€"
    assert STOP in "".join(tram)
    assert not any(STOP in text or text.endswith("er:") for text in tram)
    assert tarts[-4:] == ["</", "s", ">", "</s>"]


def test_tokens_can_be_told_apart():
    """Each token of an answer has an id of its own."""
    for question in SCRIPT:
        ids = [token.id for token in answer(types.SimpleNamespace(body={"inputs": question}))]
        assert len(set(ids)) == len(ids)
