"""Rows of questions: what can be asked, and what is said of the others."""

import io
import tracemalloc

import pytest

from streamkit.cli import rows
from streamkit.cli.question import as_question
from streamkit.cli.rows import BrokenRow, Row, read_rows


def read(text, *, chat=False, system=None):
    """Return the rows of a file."""
    return [*read_rows(io.BytesIO(text.encode()), lambda prompt: as_question(prompt, chat=chat, system=system))]


def test_a_row_is_a_prompt_or_an_object():
    """With the number of its line for an id, unless it has one; blank lines count, and further members are nothing."""
    messages = [{"role": "user", "content": "c"}]
    text = '"a"\n\n{"prompt": "b", "id": "B", "topic": 5}\n{"messages": [{"role": "user", "content": "c"}], "id": 7}\n'
    assert read(text + '{"prompt": "d", "parameters": {"seed": 1}}') == [
        Row(id=1, prompt="a"),
        Row(id="B", prompt="b"),
        Row(id=7, messages=messages),
        Row(id=5, prompt="d", parameters={"seed": 1}),
    ]


def test_prompts_may_be_asked_as_a_conversation():
    """A row that is one stays as it is."""
    said = {"role": "user", "content": "a"}
    text = '"a"\n{"messages": [{"role": "user", "content": "a"}]}\n'
    assert [row.messages for row in read(text, chat=True)] == [(said,), (said,)]
    system = {"role": "system", "content": "Be brief"}
    assert [row.messages for row in read(text, system="Be brief")] == [(system, said), (said,)]


@pytest.mark.parametrize(
    ("line", "name", "message"),
    [
        ("{nonsense", 2, "malformed"),
        ("5", 2, "Expected `str | object`, got `int`"),
        ("{}", 2, "either a prompt"),
        ('{"id": "x"}', "x", "either a prompt"),
        ('{"prompt": "a", "messages": [{"role": "user"}], "id": 9}', 9, "either a prompt"),
        ('{"messages": [], "id": 9}', 9, "non-empty list"),
        ('{"prompt": 5}', 2, "`$.prompt`"),
        ('{"id": 1.5, "prompt": "a"}', 2, "`$.id`"),
        ('{"prompt": "a", "parameters": {"stop": "b"}, "id": 9}', 9, "StopSequences"),
        ('"\udc80"', 2, "line 2"),
    ],
)
def test_a_broken_row_says_what_is_wrong_with_it(line, name, message):
    """And the rows behind it are read."""
    text = f'"before"\n{line}\n"behind"\n'.encode("utf-8", "surrogateescape")
    before, broken, behind = read_rows(io.BytesIO(text), str)
    assert (before.prompt, behind.prompt, behind.id) == ("before", "behind", 3)
    assert (type(broken), broken.id) == (BrokenRow, name)
    assert str(broken.error).startswith("line 2 is no row: ")
    assert message in str(broken.error)


@pytest.mark.parametrize("length", [100, 101, 102, 201, 202, 203, 1000])
def test_a_row_that_is_too_long_is_not_read_whole(monkeypatch, length):
    """Nor is any part of it taken for a row."""
    monkeypatch.setattr(rows, "LONGEST", 100)
    first, last = read(f'"{"x" * (length - 2)}"\n"behind"\n')
    assert last == Row(id=2, prompt="behind")
    assert "longer than 100 bytes" in str(first.error)


def test_a_row_of_the_greatest_length_is_read(monkeypatch):
    """Line end included."""
    monkeypatch.setattr(rows, "LONGEST", 100)
    (row,) = read(f'"{"x" * 97}"\n')
    assert len(row.prompt) == 97


def test_rows_are_read_as_they_are_taken():
    """A file of any length costs the memory of a row."""

    class Endless(io.RawIOBase):
        def readable(self):
            return True

        def readinto(self, buffer):
            buffer[:] = (b'"a"\n' * len(buffer))[: len(buffer)]
            return len(buffer)

    reading = read_rows(io.BufferedReader(Endless(), 4096), str)
    next(reading)
    tracemalloc.start()
    for _ in range(20_000):
        next(reading)
    size = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert size < 100_000
