"""`streamkit run`: what is refused before anything is asked."""

import pytest


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "Which model?"),
        (("--model", "a/b", "--api", "tgi"), "--api goes with --endpoint"),
        (("--endpoint", "http://x", "--provider", "groq"), "--provider goes with --model"),
        (("--endpoint", "nowhere"), "is not the URL of a server"),
        (("--endpoint", "http://x", "--token-env", "NO_SUCH_VARIABLE"), "NO_SUCH_VARIABLE is not set"),
        (("--endpoint", "http://x", "--json", "--raw"), "take one"),
        (("--endpoint", "http://x", "--json", "--show", "tokens"), "take one"),
        (("--endpoint", "http://x", "--param", "seed"), "name=value"),
        (("--endpoint", "http://x", "--transform", "smoth"), "no plugin registers"),
        (("--endpoint", "http://x", "--stop", ""), "stop sequence"),
        (("--pipeline", "nowhere.toml"), "nowhere.toml: No such file"),
        (("--pipeline", "x.toml", "--endpoint", "http://x"), "leave out --endpoint"),
        (("--pipeline", "x.toml", "--model", "a/b"), "leave out --model"),
        (("--pipeline", "x.toml", "--token-env", "X"), "leave out --token-env"),
        (("--pipeline", "x.toml", "--first-token-timeout", "5"), "leave out --first-token-timeout"),
        (("--endpoint", "http://x", "--timeout", "0"), "x>0"),
        (("--endpoint", "http://x", "--retries", "-1"), "x>=0"),
    ],
)
def test_an_impossible_question_is_refused(invoke, arguments, message):
    """Usage errors exit with 2, say what is wrong on stderr and leave stdout empty."""
    result = invoke("run", "Hello", *arguments)

    assert result.exit_code == 2
    assert message in " ".join(result.stderr.replace("│", " ").split())
    assert result.stdout == ""


def test_a_token_cannot_be_given_on_the_command_line(invoke):
    """Every user of the machine can list the arguments of a process."""
    assert invoke("run", "Hello", "--token", "secret").exit_code == 2


def test_a_prompt_of_the_command_line_goes_before_a_pipe(invoke):
    """An empty pipe matters only to a command without a prompt."""
    assert "The prompt is empty" in invoke("run", "--model", "a/b", stdin="").stderr
    assert "The prompt is empty" not in invoke("run", "Hello", "--api", "tgi", "--model", "a/b", stdin="").stderr
