"""What it takes to send a reply, as plain values."""

import pytest

from streamkit.testing import Response, ScriptedToken
from streamkit.testing.emulator.acts import Cut, End, Start, Turn, acts_of
from streamkit.testing.emulator.answers import Answer
from streamkit.testing.emulator.generation import stops_in_text


class Plain(Answer):
    """A dialect of bare text."""

    content_type = "text/plain"
    keep_alive = (15.0, b"?")

    def chunks(self, step):
        """Return the token."""
        return [step.text.encode()]

    def closing(self):
        """Return an end mark."""
        return [b"."]

    def whole(self, steps):
        """Return all tokens."""
        return Response(body="".join(step.text for step in steps))


def answer(*, stream):
    """Return an answer of two tokens."""
    return Plain(stops_in_text([ScriptedToken("a"), ScriptedToken("b")], 10, []), stream=stream)


def test_a_stream_is_headers_and_tokens_each_in_its_turn():
    """The headers come before anything is generated, the end mark before the end."""
    acts = list(acts_of(answer(stream=True)))
    assert [act if isinstance(act, bytes) else type(act) for act in acts] == [Start, Turn, b"a", Turn, b"b", b".", End]
    assert acts[0].headers["Content-Type"] == "text/plain"
    assert acts[1].keep_alive == (15.0, b"?")
    assert [act.step.ending is not None for act in acts if isinstance(act, Turn)] == [False, True]


def test_a_whole_answer_is_generated_before_its_headers():
    """They have its length."""
    acts = list(acts_of(answer(stream=False)))
    assert [type(act) for act in acts] == [Turn, Turn, Start, bytes, End]
    assert acts[2].headers["Content-Length"] == "2"


def test_a_generation_goes_on_while_its_acts_are_read():
    """Nothing is generated ahead of its turn."""
    drawn = []

    def tokens():
        for text in "abc":
            drawn.append(text)
            yield ScriptedToken(text)

    acts = acts_of(Plain(stops_in_text(tokens(), 10, []), stream=True))
    assert isinstance(next(acts), Start)
    assert drawn == []
    next(acts)
    assert drawn == ["a", "b"]  # one ahead, to know whether it is the last


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        (
            Response(body="x"),
            [Start(headers={"Content-Type": "text/plain; charset=utf-8", "Content-Length": "1"}), b"x", End()],
        ),
        (Response(body="x", content_type=None, cut=True), [Start(), b"x", Cut()]),
        (
            Response(status=204, content_type=None, headers={"content-length": "9"}),
            [Start(status=204, headers={"content-length": "9"}), End()],
        ),
    ],
)
def test_a_response_is_sent_as_it_is(response, expected):
    """With its length, unless it will be cut or says another."""
    assert list(acts_of(response)) == expected
