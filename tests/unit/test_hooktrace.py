"""Hook calls can be watched, and cost nothing when they are not."""

# ruff: noqa: D102 - the observers' methods are the hooks, described in `hookspecs`
import re

import pytest

from streamkit import hooktrace
from streamkit.events import Token
from streamkit.host import Host
from streamkit.pipeline import Pipeline
from streamkit.testing import replay


@pytest.fixture
def traced(monkeypatch):
    """Turn tracing on."""
    monkeypatch.setenv(hooktrace.VARIABLE, "1")


class Watcher:
    """Observes texts and the end."""

    def on_text(self, text): ...

    async def on_final(self, result): ...


def lines(capsys):
    """Return what was written to stderr, with the times and addresses taken out."""
    written = re.sub(r"\d+\.\d µs", "N µs", capsys.readouterr().err)
    return re.sub(r"plugin '.*?'", "plugin P", written).splitlines()


async def test_each_call_is_a_line_with_hook_plugin_and_time(traced, capsys):
    """Coroutine functions are timed until they return."""
    await Pipeline(replay(["a", "b"]), callbacks=[Watcher()]).arun()
    assert lines(capsys) == [
        "streamkit: hook 'on_text' of plugin P took N µs",
        "streamkit: hook 'on_text' of plugin P took N µs",
        "streamkit: hook 'on_final' of plugin P took N µs",
    ]


def test_what_a_hook_raises_is_shown_and_raised(traced, capsys):
    """Tracing changes nothing else."""

    def on_text(text):
        raise ValueError("bug")

    with pytest.raises(ValueError, match="bug"):
        Pipeline(replay(["a"]), callbacks={"on_text": on_text}).run()
    assert lines(capsys) == ["streamkit: hook 'on_text' of plugin P took N µs and raised ValueError: bug"]


@pytest.mark.parametrize("value", ["", "0", None])
def test_nothing_is_wrapped_where_it_is_off(monkeypatch, value):
    """The call is the function itself."""
    monkeypatch.delenv(hooktrace.VARIABLE, raising=False)
    if value is not None:
        monkeypatch.setenv(hooktrace.VARIABLE, value)

    def on_token(run, token): ...

    (hook,) = Host([{"on_token": on_token}]).plan().on_token
    assert hook.call is on_token


def test_it_is_decided_when_the_plan_is_compiled(monkeypatch, capsys):
    """A pipeline made before does not change."""
    pipeline = Pipeline(replay([Token("a")]), callbacks=[{"on_text": lambda text: None}])
    monkeypatch.setenv(hooktrace.VARIABLE, "1")
    pipeline.run()
    assert lines(capsys) == []
