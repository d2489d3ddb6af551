"""`streamkit replay`: recordings and bare bodies."""

import pytest

BODY = (
    b'data: {"token":{"id":1,"text":"Hi","special":false},"generated_text":null}\n\n'
    b'data: {"token":{"id":2,"text":"!","special":false},"generated_text":"Hi!"}\n\n'
)


@pytest.fixture
def body(tmp_path):
    """Return the path of a bare body."""
    path = tmp_path / "body.sse"
    path.write_bytes(BODY)
    return str(path)


def test_a_bare_body_is_played_in_its_format(invoke, body):
    """Like the live stream."""
    result = invoke("replay", body, "--format", "tgi")
    assert (result.exit_code, result.stdout) == (0, "Hi!")
    assert "2 tokens" in result.stderr


def test_its_answer_may_be_cleaned_and_shown_otherwise(invoke, body):
    """By the options that a live answer has."""
    assert invoke("replay", body, "--format", "tgi", "--stop", "!").stdout == "Hi"
    assert invoke("replay", body, "--format", "tgi", "--show", "tokens").stdout.count("\n") == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nowhere",), "'nowhere' cannot be read: No such file"),
        (("BODY",), "name its format"),
        (("BODY", "--format", "sse"), "unknown format 'sse'"),
        (("BODY", "--format", "tgi", "--speed", "0"), "x>0"),
        (("BODY", "--format", "tgi", "--json", "--raw"), "take one"),
    ],
)
def test_what_cannot_be_played_is_refused(invoke, body, arguments, message):
    """With status 2."""
    result = invoke("replay", *[body if each == "BODY" else each for each in arguments])

    assert result.exit_code == 2
    assert message in " ".join(result.stderr.replace("│", " ").split())
    assert result.stdout == ""
