"""Marks that close a tag of the text, against a slow and obviously right reading of the rule."""

import re
from itertools import takewhile

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamkit import Host, Pipeline, from_iterable
from streamkit.config import part
from streamkit.errors import ConfigurationError
from streamkit.events import Token
from streamkit.testing.feeding import feed_every_way, run_chain, visible
from streamkit.transforms import ScrubEos

HTML = ScrubEos(balanced={"</s>": "<s>"})
mark_lists = st.lists(st.text("ab", min_size=1, max_size=3), min_size=1, max_size=3, unique=True)
openers = st.lists(st.text("abo", min_size=1, max_size=2), min_size=1, max_size=2)
texts = st.text("abo z", max_size=12)


def kept(text, balanced):
    """Return where a kept mark stands, by looking at every position for tags and marks."""
    places, opened, begin = [], dict.fromkeys(balanced, 0), 0
    for end in range(1, len(text) + 1):
        for mark in sorted(balanced, key=len, reverse=True):
            if opened[mark] and text.endswith(mark, begin, end):
                opened[mark] -= 1
                places.append((end - len(mark), end))
                begin = end
                break
        for mark, opener in balanced.items():
            opened[mark] += text.endswith(opener, 0, end)
    return places


def final(text, marks, balanced):
    """Return what is shown of a whole text: what is kept is no mark, nor part of one."""
    masked = text
    for start, end in kept(text, balanced):
        masked = masked[:start] + "#" * (end - start) + masked[end:]
    one = "|".join(map(re.escape, marks))
    run = re.search(rf"(?:{one})(?:{one}|[ \t\r\n])*\Z", masked)
    return text[: run.start()] if run else text


def common_prefix(futures):
    """Return the longest beginning that all texts share."""
    columns = takewhile(lambda column: len(set(column)) == 1, zip(*futures, strict=False))
    return "".join(column[0] for column in columns)


@given(mark_lists, openers, texts)
def test_what_is_shown_is_what_the_rule_says(marks, tags, text):
    """The text agrees with the oracle, however it is cut into tokens."""
    balanced = dict(zip(marks, tags, strict=False))
    tokens = [Token(text[at : at + 3], id=at) for at in range(0, len(text), 3)]
    assert visible(feed_every_way(ScrubEos(marks, balanced=balanced), tokens)) == final(text, marks, balanced)


@given(st.lists(st.sampled_from(["<s>", "</s>", "<", "/s>", "x", " "]), max_size=6).map("".join))
def test_no_more_is_held_back_than_must_be(text):
    """What is shown after each character is all that no future can take back: a mark to be kept is not waited for."""
    futures = ["z", *(more[:size] for more in ("</s>", "/s>", "s>", ">", "<s>") for size in range(len(more) + 1))]
    recipe = attrs.evolve(HTML, eos="</s>")
    machine, out = recipe.start(), ""
    for size, character in enumerate(text, 1):
        out += visible(machine.feed(Token(character)))
        assert out == common_prefix([final(text[:size] + more, recipe.eos, dict(recipe.balanced)) for more in futures])


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<s>old</s>", "<s>old</s>"),
        ("<s>old</s></s>", "<s>old</s>"),
        ("<s>a</s> <s>b</s>\n", "<s>a</s> <s>b</s>\n"),
        ("<s><s>a</s></s></s>", "<s><s>a</s></s>"),
        ("<s>a<|im_end|>", "<s>a"),
        ("</s><s>a</s>", "</s><s>a</s>"),
        ("a</s>", "a"),
    ],
)
def test_html_keeps_its_last_tag(text, shown):
    """Each closing tag belongs to an opening one, and the mark behind them goes."""
    assert visible(feed_every_way(HTML, [Token(text)])) == shown


def test_special_tokens_are_no_tags():
    """The beginning mark of a model does not open anything, and its end mark goes whatever is open."""
    begin, end = Token("<s>", special=True), Token("</s>", special=True)
    assert visible(run_chain([HTML], [begin, Token("a</s>")])) == "<s>a"
    assert visible(run_chain([HTML], [Token("<s>a"), end])) == "<s>a"


def test_each_channel_has_its_own_tags():
    """One that the reasoning opens does not keep a mark of the answer."""
    tokens = [Token("<s>", channel="reasoning"), Token("a</s>")]
    assert visible(run_chain([HTML], tokens)) == "a"


def test_what_is_remembered_is_bounded():
    """Tags without end leave a number behind, not their places."""
    machine = HTML.start()
    machine.feed(Token("<s>" * 1000))
    machine.feed(Token("x"))
    balance = machine._machines["text"]._balance
    assert (len(balance._opened), balance._open) == (0, {"</s>": 1000})


def test_a_tag_is_found_behind_text_that_goes_around_the_chain():
    """A tag need not begin like a mark, and may come in pieces."""
    pipeline = from_iterable([Token(each) for each in ("x", "[", "s", "]", "old", "</s>")]) | ScrubEos(
        "</s>", balanced={"</s>": "[s]"}
    )
    assert isinstance(pipeline, Pipeline)
    assert pipeline.run().text == "x[s]old</s>"


def test_a_recipe_is_a_value():
    """It can be compared, hashed, evolved, and described in a file."""
    assert HTML == ScrubEos(balanced=[("</s>", "<s>")]) != ScrubEos()
    assert attrs.evolve(HTML, eos="</s>").balanced == HTML.balanced
    assert hash(HTML) == hash(ScrubEos(balanced={"</s>": "<s>"}))
    options = {"use": "scrub_eos", "balanced": {"</s>": "<s>"}}
    assert part("transforms", options, Host(), "a test") == HTML


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"balanced": {"</i>": "<i>"}}, "balanced names '</i>', which is no end mark"),
        ({"balanced": {"</s>": ""}}, "an opening tag must be a non-empty string"),
        ({"balanced": {"</s>": "<s>"}, "mode": "cut"}, "by the mode \"end\" alone, not by 'cut'"),
        ({"balanced": "</s>"}, "balanced maps end marks to opening tags"),
        ({"balanced": 5}, "balanced maps end marks to opening tags"),
    ],
)
def test_settings_that_cannot_work(options, message):
    """Each says what is wrong and what to give."""
    with pytest.raises(ConfigurationError, match=message):
        ScrubEos(**options)
