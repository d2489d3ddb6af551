"""Transforms by name, with their options."""

import click
import pytest

from streamkit.cli.cleaning import Cleaning
from streamkit.errors import ConfigurationError
from streamkit.transforms import RepairText, ScrubEos, Smooth, StopSequences, recommended_transforms


def chain(names, *, stop=(), include_stop=False, eos=()):
    """Return the transforms that the options make."""
    return Cleaning(named=names, stop=stop, include_stop=include_stop, eos=eos).transforms()


def test_without_names_the_chain_is_the_recommended_one():
    """The options reach the recommended transforms, and the usual end marks are the default."""
    assert chain([], stop=["###"], include_stop=True, eos=[]) == recommended_transforms(stop="###", include_stop=True)
    assert chain([], stop=[], include_stop=False, eos=["<end>"]) == recommended_transforms(eos="<end>")


def test_names_make_a_chain_in_their_order():
    """Transforms named take their options, and nothing is added."""
    transforms = chain(["repair_text", "smooth", "stop_sequences", "scrub_eos"], stop=["#"], include_stop=True, eos=[])

    assert transforms == (RepairText(), Smooth(), StopSequences("#", include_stop=True), ScrubEos())


def test_each_built_in_transform_has_its_name():
    """The seven transforms that need no settings of their own can be named."""
    names = [
        "repair_text",
        "scrub_eos",
        "split_reasoning",
        "skip_special_tokens",
        "stop_sequences",
        "trim_start",
        "smooth",
    ]

    assert len(chain(names, stop=["#"], include_stop=False, eos=["<end>"])) == 7


def test_an_unknown_name_is_refused_with_the_nearest_one():
    """A slip in a name is found before anything is asked."""
    with pytest.raises(ConfigurationError, match=r"--transform: .*'smoth'.*'smooth'"):
        chain(["smoth"], stop=[], include_stop=False, eos=[])


@pytest.mark.parametrize(
    ("names", "stop", "eos", "message"),
    [
        (["smooth"], ["#"], [], "add --transform stop_sequences"),
        (["smooth"], [], ["<end>"], "add --transform scrub_eos"),
    ],
)
def test_an_option_without_effect_is_refused(names, stop, eos, message):
    """A stop sequence that nobody reads is found before anything is asked."""
    with pytest.raises(click.BadParameter, match=message):
        chain(names, stop=stop, include_stop=False, eos=eos)


@pytest.mark.parametrize(
    ("named", "transform"),
    [
        ("stop_sequences:stops=###", StopSequences("###")),
        (r"stop_sequences:stops=\nUser:", StopSequences("\nUser:")),
        ('stop_sequences:stops=["a,b","c"],include_stop=true', StopSequences("a,b", "c", include_stop=True)),
        ("stop_sequences:include_stop=true,stops=a", StopSequences("a", include_stop=True)),
        ('scrub_eos:eos="</s>"', ScrubEos("</s>")),
        ("repair_text:byte_pieces=true", RepairText(byte_pieces=True)),
        ("repair_text:", RepairText()),
    ],
)
def test_a_transform_takes_its_options_behind_a_colon(named, transform):
    """Values are JSON, or plain text up to the next comma."""
    assert chain([named]) == (transform,)


def test_options_of_its_own_go_before_those_of_the_command():
    """`--stop` reaches the transform that has none."""
    assert chain(["stop_sequences:include_stop=true"], stop=["#"]) == (StopSequences("#", include_stop=True),)
    assert chain(["stop_sequences:stops=a"], stop=["#"]) == (StopSequences("a"),)


@pytest.mark.parametrize(
    ("named", "error", "message"),
    [
        ("smooth:by", click.BadParameter, "is not NAME:key=value,key=value"),
        ("stop_sequences:stops=a,b", click.BadParameter, r'A list is written key=\["a","b"\]'),
        ("smooth:=x", click.BadParameter, "is not NAME:key=value,key=value"),
        (
            "repair_text:byte_peaces=true",
            ConfigurationError,
            "unknown option 'byte_peaces'; did you mean 'byte_pieces'",
        ),
        ("repair_text:byte_pieces=5", ConfigurationError, "byte_pieces: Expected `bool`"),
        ("repair_text:use=smooth", click.BadParameter, "is not NAME:key=value,key=value"),
    ],
)
def test_an_option_that_is_wrong_is_named(named, error, message):
    """Before anything is asked."""
    with pytest.raises(error, match=message):
        chain([named])


def test_beside_a_file_there_are_no_options():
    """The file describes the chain."""
    Cleaning().refuse_beside_file()
    for cleaning in (
        Cleaning(stop=["#"]),
        Cleaning(include_stop=True),
        Cleaning(eos=["x"]),
        Cleaning(named=["smooth"]),
    ):
        with pytest.raises(click.UsageError, match="--pipeline describes the chain"):
            cleaning.refuse_beside_file()
