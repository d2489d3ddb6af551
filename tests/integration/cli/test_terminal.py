"""The command on a terminal, and Ctrl-C."""

import re

from streamkit.testing import EmulatedEndpoint, ScriptedToken

END = ScriptedToken("</s>", special=True)


def test_ctrl_c_keeps_the_partial_text(terminal):
    """The first Ctrl-C leaves the model, says so on a line of its own and exits with 130."""
    with EmulatedEndpoint(script=["Hel", "lo", " world", END], gate=True) as server:
        shell = terminal("run", "Hi", "--endpoint", server.url, "--api", "tgi")
        server.release(2)
        shell.screen(b"Hello")

        shell.type(b"\x03")

        screen = shell.screen(None)
        assert shell.process.wait(30) == 130
        assert server.requests[-1].client_left.wait(5)
    assert re.fullmatch(r"Hello(\^C)?\n.*2 tokens · aborted.*\n", screen)
    assert "Traceback" not in screen


def test_ctrl_c_before_the_first_token_ends_without_a_word(terminal):
    """Somebody who tires of waiting gets the prompt of the shell back."""
    with EmulatedEndpoint(script=["Hello", END], gate=True) as server:
        shell = terminal("run", "Hi", "--endpoint", server.url, "--api", "tgi")
        server.wait_for_request(20)

        shell.type(b"\x03")

        screen = shell.screen(None)
        assert shell.process.wait(30) == 130
    assert screen in ("", "^C")


def test_no_control_sequence_of_the_model_reaches_the_terminal(terminal):
    """Escape sequences cut over tokens, C1 controls and carriage returns arrive as symbols, and the line is ended."""
    attack = ["\x1b", "]52;c;aGk=", "\x07", "\x9b", "6n", "\rB", END]
    with EmulatedEndpoint(script=attack) as server:
        shell = terminal("run", "Hi", "--endpoint", server.url, "--api", "tgi", NO_COLOR="1", PYTHONUTF8="1")
        screen = shell.screen(None)

    answer, closing = screen.splitlines()
    assert answer == "␛]52;c;aGk=␇⟨U+009B⟩6n␍B"
    assert "first token" in closing


def test_raw_text_is_refused_on_a_terminal(terminal):
    """The model is not even asked."""
    with EmulatedEndpoint(script=["Hello", END]) as server:
        shell = terminal("run", "Hi", "--endpoint", server.url, "--raw")
        screen = shell.screen(None)

        assert shell.process.wait(30) == 2
        assert server.requests == []
    assert "could control this terminal" in screen


def test_the_demo_works_on_a_terminal_and_can_be_left(terminal):
    """The demo shows raw and clean text live, and Ctrl-C gives the cursor back."""
    shell = terminal("demo")
    shell.screen(b"Lis")

    shell.type(b"\x03")

    screen = shell.screen(None)
    assert shell.process.wait(30) == 130
    assert screen.rindex("\x1b[?25h") > screen.rindex("\x1b[?25l")
    assert "Traceback" not in screen
