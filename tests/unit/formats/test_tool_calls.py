"""Tool call pieces are told apart and lose their repetitions."""

from streamkit.events import ToolCallDelta
from streamkit.formats._openai_wire import Function, ToolCall
from streamkit.formats._tool_calls import ToolCalls


def read(*pieces):
    """Read pieces given as (index, id, name, arguments)."""
    calls = ToolCalls()
    return [calls.read(ToolCall(index, id_, Function(name, arguments))) for index, id_, name, arguments in pieces]


def test_id_and_name_go_out_once():
    """An id and a name that every piece repeats are on the first piece only, for each call."""
    assert read((0, "a", "f", "{"), (0, "a", "f", "}"), (1, "b", "g", "{}")) == [
        ToolCallDelta(index=0, id="a", name="f", arguments="{"),
        ToolCallDelta(index=0, arguments="}"),
        ToolCallDelta(index=1, id="b", name="g", arguments="{}"),
    ]


def test_nulls_are_no_news():
    """Null ids, names and arguments are as good as absent, and a piece of nothing is no event."""
    assert read((0, "a", "f", None), (0, None, None, None), (0, "", "", "{}")) == [
        ToolCallDelta(index=0, id="a", name="f"),
        None,
        ToolCallDelta(index=0, arguments="{}"),
    ]


def test_a_late_name_is_not_lost():
    """The name goes out with the first piece that has it, even if the id came before."""
    assert read((0, "a", None, ""), (0, "a", "f", ""))[1] == ToolCallDelta(index=0, name="f")


def test_pieces_without_index_follow_the_names():
    """Without an index, a name starts a call and a piece without one continues the last."""
    pieces = [(None, "a", "f", "{}"), (None, "b", "g", "{"), (None, None, None, "}")]
    assert [event.index for event in read(*pieces)] == [0, 1, 1]


def test_piece_without_function_is_read():
    """A piece that only brings an id is read."""
    assert ToolCalls().read(ToolCall(0, "a")) == ToolCallDelta(index=0, id="a")


def test_arguments_that_are_an_object_become_text():
    """Whoever sends the object instead of its text is read as if they had sent the text."""
    assert [event.arguments for event in read((0, "a", "f", {"q": "é"}))] == ['{"q": "é"}']
