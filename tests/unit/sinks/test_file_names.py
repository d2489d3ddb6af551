"""File names with fields: every run its own file, and no question that names a file elsewhere."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamkit.errors import ConfigurationError
from streamkit.request import Request
from streamkit.sinks import TextFile

HOSTILE = (
    "../../etc/passwd",
    "/etc/passwd",
    "..",
    ".ssh",
    "a\x00b",
    "CON",
    "nul",
    "C:\\windows",
    "-rf",
    "{run}",
    "{prompt.__class__}",
    "\u202egpj.exe",
    "\ud800",
    "",
    "   ",
    "x" * 300,
    "\N{GRINNING FACE}" * 300,
    "\u6f22" * 300,
)


def _write(sink, question):
    writer = sink.open(question)
    writer.close(None)


@pytest.mark.parametrize("prompt", HOSTILE)
def test_a_question_names_no_file_elsewhere(tmp_path, prompt):
    """Separators, dots, control characters, device names and length: what is made is one file in the directory."""
    _write(TextFile(tmp_path / "{prompt}.txt"), Request(prompt=prompt))

    (made,) = tmp_path.rglob("*")
    assert made.parent == tmp_path
    assert made.suffix == ".txt"
    assert made.stem.strip("-.")
    assert made.stem.upper() not in {"CON", "NUL"}


@given(prompt=st.text(st.characters()))
def test_no_text_at_all_does(tmp_path_factory, prompt):
    """The same for any text, in a directory's name too."""
    directory = tmp_path_factory.mktemp("answers")
    sink = TextFile(directory / "{prompt}")

    _write(sink, Request(prompt=prompt))

    (made,) = directory.rglob("*")
    assert made.parent == directory
    assert len(os.fsencode(made.name)) < 200


def test_a_link_is_not_followed(tmp_path):
    """Somebody who guesses a name cannot have an answer written over another file."""
    (tmp_path / "precious").write_text("precious")
    (tmp_path / "Hello.txt").symlink_to(tmp_path / "precious")

    for mode in ("create", "replace", "append"):
        with pytest.raises(OSError, match=r"exists|symbolic links"):
            TextFile(tmp_path / "{prompt}.txt", mode).open(Request(prompt="Hello"))

    assert (tmp_path / "precious").read_text() == "precious"


def test_every_run_has_a_file_of_its_own(tmp_path):
    """One pipeline's runs do not write over one another, whatever they ask."""
    sink = TextFile(tmp_path / "{time}-{run}.txt")

    for _ in range(3):
        _write(sink, Request(prompt="the same"))

    assert len(list(tmp_path.iterdir())) == 3


def test_a_conversation_is_named_after_its_last_message(tmp_path):
    """Text gives the name; content that is no text gives none."""
    sink = TextFile(tmp_path / "{prompt}.txt")

    _write(
        sink, Request(messages=[{"role": "system", "content": "Be brief"}, {"role": "user", "content": "Wo, bitte?"}])
    )
    _write(sink, Request(messages=[{"role": "user", "content": [{"type": "image_url"}]}]))

    assert sorted(each.name for each in tmp_path.iterdir()) == ["Wo-bitte.txt", "untitled.txt"]


def test_a_doubled_brace_is_a_brace(tmp_path):
    """A path may have braces of its own."""
    _write(TextFile(tmp_path / "{{a}}.txt"), Request(prompt="x"))

    assert (tmp_path / "{a}.txt").exists()


@pytest.mark.parametrize(
    "path", ["{promt}.txt", "{prompt.__class__}", "{prompt!r}", "{run:>9}", "{}", "{0}", "a{", "a}"]
)
def test_an_unknown_field_is_refused_at_construction(path):
    """The message names the path and the fields there are, before anything is asked."""
    with pytest.raises(ConfigurationError, match=r"the path '.*write \{\{ for a brace"):
        TextFile(path)
