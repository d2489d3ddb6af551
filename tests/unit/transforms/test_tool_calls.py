"""Tool calls in the text: read whole, however the tokens fall, and never swallowed."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamkit.errors import ConfigurationError
from streamkit.events import Finish, Token, ToolCallDelta
from streamkit.request import Request
from streamkit.run import Run
from streamkit.testing.feeding import feed_every_way, run_chain, visible, ways
from streamkit.transforms import SkipSpecialTokens, SplitReasoning, SplitToolCalls, StopSequences
from streamkit.transforms.tool_calls import MAX_CALL

WEATHER = '{"name": "weather", "arguments": {"city": "Nürnberg"}}'
READ = ("weather", '{"city": "Nürnberg"}')


def calls(events):
    """Return name and arguments of each call, put together by index."""
    found = {}
    for event in events:
        if isinstance(event, ToolCallDelta):
            name, arguments = found.get(event.index, (None, ""))
            found[event.index] = (name or event.name, arguments + event.arguments)
    assert list(found) == list(range(len(found)))
    return list(found.values())


def split(*texts, transform=SplitToolCalls()):  # noqa: B008 - a value
    """Return the text and the calls of an answer, which must not depend on how it is cut."""
    tokens = [Token(each, id=number) for number, each in enumerate(texts)]
    events = feed_every_way(transform, tokens)
    for _, cut in ways(tokens):
        assert calls(run_chain([transform], cut)) == calls(events)
    return visible(events), calls(events)


@pytest.mark.parametrize(
    ("text", "shown", "found"),
    [
        (f"Let me see.<tool_call>\n{WEATHER}\n</tool_call> Done.", "Let me see. Done.", [READ]),
        (f"<tool_call>{WEATHER}</tool_call><tool_call>{WEATHER}</tool_call>", "", [READ, READ]),
        (f"<tool_call>[{WEATHER}, {WEATHER}]</tool_call>", "", [READ, READ]),
        ('<tool_call>{"name": "now"}</tool_call>', "", [("now", "{}")]),
        ('<tool_call>{"name": "f", "parameters": {"a": 1}}</tool_call>', "", [("f", '{"a": 1}')]),
        ('<tool_call>{"name": "f", "arguments": "{\\"a\\": 1}"}</tool_call>', "", [("f", '{"a": 1}')]),
        ("<tool_call> </tool_call>x", "x", []),
        ("a <tool_cal", "a <tool_cal", []),
        ("a</tool_call>", "a</tool_call>", []),
    ],
)
def test_calls_leave_the_text_and_are_read(text, shown, found):
    """One or several between a pair of tags, with arguments as the models of the day write them."""
    assert split(text) == (shown, found)


@pytest.mark.parametrize(
    "argument", ["say </tool_call>", 'a "quoted" </tool_call>', "back\\slash\\", "line\nend </tool_call>", '\\"']
)
def test_a_closing_tag_in_a_string_is_part_of_the_call(argument):
    """Quotes and backslashes in it are understood."""
    arguments = json.dumps({"text": argument})
    assert split(f'<tool_call>{{"name": "f", "arguments": {arguments}}}</tool_call>!') == ("!", [("f", arguments)])


@pytest.mark.parametrize(
    ("text", "shown", "written"),
    [
        ('<tool_call>{"name": "weather", "arguments": {"ci', "", '{"name": "weather", "arguments": {"ci'),
        ("<tool_call>not JSON</tool_call> and on", " and on", "not JSON"),
        ('<tool_call>{"nom": 1}</tool_call>', "", '{"nom": 1}'),
        ('<tool_call>{"name": "f}\n</tool_call>x', "x", '{"name": "f}\n'),
        ("<tool_call>{}</tool_", "", "{}</tool_"),
    ],
)
def test_what_is_no_call_is_told_as_it_was_written(text, shown, written):
    """Cut, or broken: a call without a name has all of it, and a string that was never closed does not eat the rest."""
    assert split(text) == (shown, [(None, written)])


def test_a_call_that_was_not_closed_is_read_if_it_is_whole():
    """Some models end without the closing tag."""
    assert split(f"<tool_call>{WEATHER}") == ("", [READ])


def test_special_tokens_may_be_tags_and_others_stay_in_the_stream():
    """Put before `SkipSpecialTokens`, it sees them; an end mark amidst a call is no part of it."""
    tokens = [
        Token("Hi", 1),
        Token("<tool_call>", 2, special=True),
        Token(WEATHER[:9], 3),
        Token("<pad>", 4, special=True),
        Token(WEATHER[9:], 5),
        Token("</tool_call>", 6, special=True),
        Token("!", 7),
    ]
    events = run_chain([SplitToolCalls(), SkipSpecialTokens()], tokens)
    assert (visible(events), calls(events)) == ("Hi!", [READ])
    assert [event.id for event in events if isinstance(event, Token)] == [1, 4, 7]


def test_a_special_tag_closes_whatever_is_open():
    """It cannot be part of a string."""
    tokens = [Token('<tool_call>{"name": "f'), Token("</tool_call>", special=True), Token("x")]
    events = run_chain([SplitToolCalls()], tokens)
    assert (visible(events), calls(events)) == ("x", [(None, '{"name": "f')])


def test_calls_of_the_engine_keep_their_places():
    """A call that is read here comes behind them."""
    events = run_chain(
        [SplitToolCalls()], [ToolCallDelta(index=1, name="g"), Token(f"<tool_call>{WEATHER}</tool_call>")]
    )
    assert [event.index for event in events if isinstance(event, ToolCallDelta)] == [1, 2]


def test_a_call_without_end_is_not_kept_for_ever():
    """Beyond the bound it leaves as it comes, whole, and the next call is read as usual."""
    long = '{"name": "f", "arguments": "' + "x" * MAX_CALL
    machine = SplitToolCalls().start()
    assert machine.feed(Token("<tool_call>" + long[:MAX_CALL])) == []
    (first,) = machine.feed(Token(long[MAX_CALL:]))
    (second,) = machine.feed(Token('yy"}'))
    (third,) = machine.feed(Token(f"</tool_call><tool_call>{WEATHER}</tool_call>"))
    assert first.arguments + second.arguments == long + 'yy"}'
    assert (first.index, second.index, third.index, third.name) == (0, 0, 1, "weather")
    assert [*machine.flush(), *machine.flush()] == []


def test_stops_do_not_apply_in_a_call():
    """Neither here nor on the server."""
    chain = (SplitToolCalls(), StopSequences("weather", "stop"))
    events = run_chain(chain, [Token(f"a<tool_call>{WEATHER}</tool_call>b stop c")])
    assert (visible(events), calls(events), events[-1].stop) == ("ab ", [READ], "stop")
    assert SplitToolCalls().prepare(Request(prompt="Hi", stop=["x"])).stop == ()


def test_models_call_tools_amidst_their_reasoning():
    """In front of `SplitReasoning`, so that a call is none of the reasoning."""
    text = f"<think>hm<tool_call>{WEATHER}</tool_call>so</think>Hi"
    events = run_chain([SplitToolCalls(), SplitReasoning()], [Token(text)])
    assert (visible(events), visible(events, "reasoning"), calls(events)) == ("Hi", "hmso", [READ])


def test_a_result_has_the_calls():
    """Put together as those of an engine are."""
    run = Run(Request(prompt="Hi"), [SplitToolCalls()])
    run.feed(Token(f"a<tool_call>{WEATHER}</tool_call>"))
    run.feed(Finish(reason="eos_token"))
    (call,) = run.complete().tool_calls
    assert (call.name, call.arguments, run.complete().finish_reason) == (*READ, "eos_token")


@given(st.lists(st.sampled_from(["<c>", "</c>", '"', "\\", "{", "\n", "x", "</", "c>"]), max_size=10))
def test_no_character_is_lost(pieces):
    """What is not shown is in a call, tags aside, in whatever mess, and nothing depends on the cut."""
    shown, found = split(*pieces, transform=SplitToolCalls(tags=[("<c>", "</c>")]))
    whole = "".join(pieces)
    kept = [shown, *(arguments for _, arguments in found)]
    tags = whole.count("<c>") + whole.count("</c>")
    blanks = sum(character.isspace() for character in whole)  # a call of nothing else is none
    assert len(whole) - 4 * tags - blanks <= sum(map(len, kept)) <= len(whole)


@pytest.mark.parametrize(
    ("tags", "message"),
    [
        ([], "there are no tool call tags"),
        ([("<a>",)], "no pair of an opening and a closing tag"),
        ([("<a>", "<a>")], "no pair"),
        ([("<a>", "")], "must be a non-empty string"),
        (["ab"], "'ab' is no pair"),
    ],
)
def test_tags_that_cannot_work(tags, message):
    """Each says what is wrong."""
    with pytest.raises(ConfigurationError, match=message):
        SplitToolCalls(tags=tags)
