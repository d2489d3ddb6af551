"""`streamkit demo` in this process."""


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
