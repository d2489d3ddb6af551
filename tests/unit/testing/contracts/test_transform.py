"""The contract of transforms: our own keep it, and each law finds who breaks it, with the smallest stream."""

import re

import attrs
import pytest

from streamkit import Finish, Host, Request, SplitReasoning, Token
from streamkit.testing import LawBroken, assert_transform_contract
from streamkit.transforms import (
    RepairText,
    ScrubEos,
    SkipSpecialTokens,
    Smooth,
    SplitToolCalls,
    StopSequences,
    TrimStart,
)

OURS = [
    RepairText(),
    RepairText(replacement="drop"),
    ScrubEos(),
    ScrubEos(["</s>", "<|e|>"], mode="cut"),
    ScrubEos(mode="all"),
    SkipSpecialTokens(),
    SkipSpecialTokens(keep="</s>"),
    Smooth(),
    Smooth(by="line", max_chars=3),
    SplitReasoning(),
    SplitReasoning(start_inside=True),
    SplitToolCalls(),
    StopSequences("\nUser:", "###", "aab"),
    StopSequences("ab", include_stop=True, scope="all"),
    TrimStart(),
    TrimStart("one"),
]


@pytest.mark.parametrize("transform", OURS, ids=repr)
def test_our_own_transforms_keep_it(transform):
    """The laws are those that the built-in transforms were written to."""
    assert_transform_contract(transform, examples=100)


@pytest.mark.parametrize("transform", [RepairText(byte_pieces=True), RepairText(cumulative=True)], ids=repr)
def test_a_transform_that_looks_at_whole_tokens_keeps_the_other_laws(transform):
    """Where the engine's cut is the information, it may matter."""
    assert_transform_contract(transform, whole_tokens=True, examples=50)


def test_each_registered_transform_is_held_to_it():
    """A new one must be added above."""
    registered = {part.factory for part in Host().registry("transforms").values()}
    assert registered == {type(transform) for transform in OURS}


class Machine:
    """A machine made of functions."""

    def __init__(self, feed, flush=tuple, triggers=None):
        self.feed = feed
        self.flush = flush
        if triggers is not None:
            self.triggers = triggers


@attrs.frozen
class Made:
    """A recipe whose machines are made by a function."""

    make: object = attrs.field(repr=False)

    def start(self):
        """Make one."""
        return self.make()


def fed_by(feed, **options):
    """Return a recipe of machines without state."""
    return Made(lambda: Machine(feed, **options))


def changed(event, **changes):
    """Return what a transform makes of a token; other events pass."""
    return (attrs.evolve(event, **changes),) if isinstance(event, Token) else (event,)


def broken(transform, **options):
    """Return the message about a transform that breaks a law."""
    with pytest.raises(LawBroken) as caught:
        assert_transform_contract(transform, **options)
    assert caught.value.law in str(caught.value)
    assert not getattr(caught.value, "__notes__", None)
    return str(caught.value)


def test_the_message_names_transform_law_and_the_smallest_stream():
    """It reads as a sentence, and the streams can be pasted into a test."""
    naive = fed_by(lambda event: changed(event, text=getattr(event, "text", "").replace("EUR ", "€")))
    assert broken(naive, words=["EUR "]) == (
        "Made() breaks a law: how the engine cuts its text into tokens makes no difference.\n"
        "  fed as it came:  [Token('EUR ')] comes to {'text': '€'}\n"
        "  fed one character at a time:  [Token('E'), Token('U'), Token('R'), Token(' ')] comes to {'text': 'EUR '}\n"
        "  hold back text that later text could still decide about, and return it from flush()"
    )


@attrs.frozen
class Price:
    """Looks for a word that only its code knows."""

    def start(self):
        """Return a machine with the word in it."""

        def feed(event):
            return changed(event, text="€") if getattr(event, "text", None) == "EUR" else (event,)

        return Machine(feed)


def test_the_words_are_found_in_the_code():
    """The author need not say what the transform looks for."""
    assert "Token('EUR')" in broken(Price())


@attrs.frozen
class Marks:
    """Looks for words of its settings."""

    pairs: tuple = (("<<", ">>"),)

    def start(self):
        """Return a machine that drops a token which is a mark."""
        marks = {mark for pair in self.pairs for mark in pair}
        return Machine(lambda event: () if isinstance(event, Token) and event.text in marks else (event,))


def test_the_words_are_found_in_the_settings():
    """However deep they are."""
    assert "Token('<<')" in broken(Marks())


def test_text_that_depends_on_the_cut_by_a_function_of_the_whole_token():
    """`str.title` treats the first letter of each token as the first of a word."""
    assert "breaks a law: how the engine cuts" in broken(
        fed_by(lambda event: changed(event, text=event.text.title()) if isinstance(event, Token) else (event,))
    )


def test_a_finish_that_depends_on_the_cut():
    """Ending at a whole token is looking at the cut too."""
    message = broken(fed_by(lambda event: (event, Finish()) if getattr(event, "text", "") == "ab" else (event,)))
    assert "ended by Finish()" in message


@pytest.mark.parametrize(
    ("feed", "law", "fact"),
    [
        (lambda event: (yield event), "in a tuple or list", "returned a generator"),
        (lambda event: None, "in a tuple or list", "returned None"),
        (lambda event: event, "in a tuple or list", "returned a Token"),
        (lambda event: (getattr(event, "text", event),), "only events leave", "feed(Token('')) returned ''"),
        (lambda event: (Finish(), event), "nothing follows the Finish", "[Finish(), Token('')]"),
        (
            lambda event: ((event.text and event) or event,),
            "takes any event without raising",
            "'ToolCallDelta' object has no",
        ),
        (lambda event: (event,) if isinstance(event, Token) else (), "no tokens pass as they are", "gives []"),
        (
            lambda event: (event,) if isinstance(event, Token) else (event, event),
            "no tokens pass as they are",
            "[ToolCallDelta(), ToolCallDelta()]",
        ),
        (lambda event: changed(event, id=1), "an id leaves at most once", "gives [Token('', id=1)]"),
    ],
)
def test_each_law_of_one_machine_is_held(feed, law, fact):
    """The message has the law and what was returned."""
    message = broken(fed_by(feed))
    assert law in message
    assert fact in message


def test_ids_that_leave_in_another_order():
    """A machine that turns tokens round is found by their ids."""

    def make():
        held = []
        return Machine(
            lambda event: (held.append(event), ())[1] if isinstance(event, Token) else (event,), lambda: held[::-1]
        )

    assert "Token('', id=2), Token('', id=1)" in broken(Made(make), whole_tokens=True)


def test_flush_is_held_to_the_same_laws():
    """What was held back leaves as events."""
    assert "flush() returned a str" in broken(fed_by(lambda event: (event,), flush=lambda: "rest"))


def test_state_that_is_kept_from_one_run_to_the_next():
    """A machine that is returned twice remembers the first run."""

    class Held:
        def __init__(self):
            self.held = ""

        def feed(self, event):
            if not isinstance(event, Token):
                return (event,)
            self.held, left = event.text, self.held
            return changed(event, text=left)

        def flush(self):
            return (Token(self.held),)

    machine = Held()
    message = broken(Made(lambda: machine))
    assert "each run starts afresh" in message
    assert "the second time" in message
    assert_transform_contract(Made(Held), whole_tokens=True, examples=20)


def test_state_that_two_runs_share_while_they_run():
    """It is cleared at the end, so only runs at the same time can tell."""

    class Shared:
        held = ""

        def feed(self, event):
            if not isinstance(event, Token) or event.channel != "text" or event.special:
                return (event,)
            Shared.held += event.text
            return ()

        def flush(self):
            return (Token(Shared.held),) if Shared.held else ()

    def make():
        Shared.held = ""
        return Shared()

    message = broken(Made(make))
    assert "each run starts afresh" in message
    assert "by turns with another run" in message


def test_a_recipe_that_can_be_changed():
    """The remedy is in the message."""

    class Loose:
        def __init__(self):
            self.word = "a"

        def start(self):
            return Machine(lambda event: (event,))

    assert re.search(r"a recipe is frozen.*\n  'word' of .* decorate the class with @attrs.frozen", broken(Loose()))

    class Bare:
        def start(self):
            return Machine(lambda event: (event,))

    bare = Bare()
    assert "'anything' of" in broken(bare)
    assert vars(bare) == {}


def test_triggers_that_promise_too_much():
    """The engine would not feed what the machine would have changed."""
    upper = fed_by(
        lambda event: changed(event, text=event.text.upper()) if isinstance(event, Token) else (event,),
        triggers=lambda: frozenset("b"),
    )
    message = broken(upper)
    assert "a plain token without any of triggers() would be returned as it is" in message
    assert "Token('a')" in message


@pytest.mark.parametrize(
    ("prepare", "fact"),
    [(lambda request: None, "it made None"), (lambda request: request.prompt.strip(), "raised AttributeError")],
)
def test_prepare_returns_a_request_whatever_the_question(prepare, fact):
    """A conversation has no prompt."""

    @attrs.frozen
    class Prepares:
        def start(self):
            return Machine(lambda event: (event,))

        def prepare(self, request: Request):
            return prepare(request) if fact.startswith("it") or request.prompt is None else request

    assert fact in broken(Prepares())


def test_a_start_that_raises_is_told():
    """Nothing else can be said of it."""

    def make():
        raise ValueError("no table")

    assert "start() returns a machine" in broken(Made(make))
