"""The text file sink: nothing lost, nothing overwritten by accident."""

import os
import stat

import pytest

from streamkit.errors import ConfigurationError
from streamkit.events import Token
from streamkit.sinks import TextFile


def test_text_is_in_the_file_as_soon_as_it_was_written(tmp_path, request_, play):
    """A killed process loses no text that had arrived."""
    path = tmp_path / "answer.txt"
    writer = TextFile(path).open(request_)

    writer.write(Token("Grüße"))

    assert path.read_text("utf-8") == "Grüße"
    writer.close(play(TextFile(tmp_path / "other.txt")))


def test_only_the_answers_text_is_written(tmp_path, play, finish):
    """Reasoning, hidden tokens and the finish stay out, and no line end is added."""
    path = tmp_path / "answer.txt"

    play(TextFile(path), Token("hm", channel="reasoning"), Token("", special=True, raw="<s>"), "a\r\n", "b", finish)

    assert path.read_bytes() == b"a\r\nb"


def test_a_new_file_belongs_to_its_owner_alone(tmp_path, play):
    """Nobody else on the machine reads the answer."""
    path = tmp_path / "answer.txt"

    play(TextFile(path), "secret")

    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_an_existing_file_is_refused_by_default(tmp_path, request_):
    """Nothing is lost by a name that was used before, and the message says what to do."""
    path = tmp_path / "answer.txt"
    path.write_text("precious")

    with pytest.raises(FileExistsError) as caught:
        TextFile(path).open(request_)

    assert path.read_text() == "precious"
    assert 'mode="append"' in caught.value.__notes__[0]


@pytest.mark.parametrize(("mode", "expected"), [("append", "old new"), ("replace", " new")])
def test_an_existing_file_is_appended_to_or_replaced_on_request(tmp_path, play, mode, expected):
    """The two other modes do what they say."""
    path = tmp_path / "answer.txt"
    path.write_text("old")

    play(TextFile(path, mode=mode), " new")

    assert path.read_text() == expected


def test_an_unknown_mode_is_refused_at_construction():
    """A slip is found before anything is asked."""
    with pytest.raises(ConfigurationError, match="create, replace, append"):
        TextFile("answer.txt", mode="w")


def test_a_lone_surrogate_does_not_fail_the_run(tmp_path, play):
    """Text without a form in UTF-8 is written as a question mark."""
    path = tmp_path / "answer.txt"

    play(TextFile(path), "a\ud800b")

    assert path.read_text("utf-8") == "a?b"


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")  # noqa: PTH110 - one look, no path to keep
def test_a_full_disk_raises(request_):
    """A disk that is full fails the write instead of losing text in silence, and the file is closed all the same."""
    writer = TextFile("/dev/full", mode="append").open(request_)

    with pytest.raises(OSError, match="No space left"):
        writer.write(Token("Hello"))

    writer.close(None)
    with pytest.raises(OSError, match="Bad file descriptor"):
        writer.close(None)
