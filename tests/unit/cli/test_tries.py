"""The line for a try that failed."""

from streamkit.cli import tries
from streamkit.events import Attempt


def test_a_failed_try_is_one_line_on_stderr(monkeypatch, capsys):
    """With how long it has taken, how long it will take, and why; nothing in it is a command to the terminal."""
    now = [100.0]
    monkeypatch.setattr(tries.time, "monotonic", lambda: now[0])
    callback = tries.Tries()
    now[0] = 200.0
    callback.on_start()
    now[0] = 212.4
    callback.on_retry(Attempt(number=3, error="x answered 503:\nloading \x1b[31m", wait=20.0))

    captured = capsys.readouterr()
    assert captured.err == "try 3 failed after 12 s, the next is in 20 s: x answered 503: loading ␛[31m\n"
    assert captured.out == ""
