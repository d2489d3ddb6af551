"""`streamkit record`: what is refused before anything is asked."""

import pytest


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "Missing option '--out'"),
        (("--out", "x"), "Which model?"),
        (("--out", "/nowhere/x", "--endpoint", "http://127.0.0.1:1"), "'/nowhere/x' cannot be made"),
        (("--out", "x", "--endpoint", "http://127.0.0.1:1", "--stop", "#"), "No such option"),
    ],
)
def test_an_impossible_recording_is_refused(invoke, arguments, message):
    """Usage errors exit with 2 and leave stdout empty."""
    result = invoke("record", "Hello", *arguments)

    assert result.exit_code == 2
    assert message in " ".join(result.stderr.replace("│", " ").split())
    assert result.stdout == ""
