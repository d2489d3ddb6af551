"""`streamkit demo` in this process."""

import shutil
import sys


def test_the_demo_shows_every_fate_and_says_what_it_is(invoke):
    """It is honest about the emulated endpoint, shows each effect, and ends with timings and next steps."""
    result = invoke("demo", "--fast")

    lines = result.stdout.splitlines()
    fates = {line[16:28].strip() for line in lines}
    assert result.exit_code == 0
    assert "emulated endpoint" in lines[0]
    assert {"passed", "released", "hidden", "joined", "cut", "scrubbed"} <= fates
    assert sum(line.startswith("first token ") for line in lines) == 2
    assert "What to try next:" in lines


def test_what_to_try_next_can_be_typed_as_it_is(invoke, monkeypatch):
    """The commands fit a terminal of 80 columns, and have the path of a command that the shell does not find."""

    def shown():
        return invoke("demo", "--fast").stdout.partition("What to try next:\n")[2]

    monkeypatch.setattr(shutil, "which", lambda name: f"/bin/{name}")
    assert "\n  streamkit serve --demo\n" in shown()
    monkeypatch.setattr(shutil, "which", lambda _: None)
    monkeypatch.setattr(sys, "argv", [".venv/bin/streamkit", "demo"])
    assert "\n  .venv/bin/streamkit serve --demo\n" in shown()
    assert max(map(len, shown().splitlines())) <= 80
