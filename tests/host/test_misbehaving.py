"""Plugins that misbehave in a run: each is named, and does as little harm as its hook allows."""

import asyncio

import pytest

from streamkit import ConfigurationError, Host, Pipeline, SourceError
from streamkit.hookspecs import LIFECYCLE
from streamkit.testing import acollect, collect, record_hooks, replay

FAILING = ("on_start", "on_token", "on_text", "on_completion")
RAISES = """
class Plugin:
    def HOOK(self, run):
        raise RuntimeError("the plugin is at fault")
plugin = Plugin()
"""


@pytest.fixture
def observed(install):
    """Return a function that installs a plugin `rogue` of this code and gives a pipeline that it observes."""

    def build(code, source=None):
        install("rogue", code)
        host = Host(entry_points=True)
        return Pipeline(source or replay(["a", "b"]), host=host)

    return build


def test_each_hook_is_tested_here():
    """A new hook must say what a plugin that raises in it comes to."""
    assert set(LIFECYCLE) == {*FAILING, "on_retry", "on_error", "on_abort", "on_final"}


@pytest.mark.parametrize("hook", FAILING)
def test_a_plugin_that_raises_in_the_stream_fails_the_run_and_is_named(observed, hook):
    """The exception is the plugin's own, with hook and plugin in a note."""
    recorder = record_hooks(observed(RAISES.replace("HOOK", hook)))
    with pytest.raises(RuntimeError, match="the plugin is at fault") as caught:
        recorder.observed.run("Hello")
    assert caught.value.__notes__ == [f"in hook {hook!r} of plugin 'rogue'"]
    recorder.assert_grammar()
    assert recorder.names[-2:] == ["on_error", "on_final"]


@pytest.mark.parametrize("hook", ["on_error", "on_final"])
def test_a_plugin_that_raises_at_the_end_is_logged_and_noted(observed, hook, caplog):
    """The error of the run stays what it was."""
    error = SourceError("the model is gone")
    pipeline = observed(RAISES.replace("HOOK", hook), replay(["a"], error=error))
    with pytest.raises(SourceError, match="the model is gone"):
        pipeline.run("Hello")
    told = f"hook {hook!r} of plugin 'rogue' raised RuntimeError: the plugin is at fault"
    assert error.__notes__ == [told]
    assert told in caplog.text


def test_a_plugin_that_raises_as_the_consumer_leaves_is_logged(observed, caplog):
    """The consumer left, and nobody is there to be told."""
    with observed(RAISES.replace("HOOK", "on_abort")).stream("Hello") as stream:
        next(iter(stream))
    assert stream.result.outcome == "aborted"
    assert "hook 'on_abort' of plugin 'rogue' raised RuntimeError" in caplog.text


def test_a_plugin_that_raises_when_a_try_failed_fails_the_run(observed):
    """`on_retry` comes before the first token."""
    from streamkit import Attempt

    pipeline = observed(RAISES.replace("HOOK", "on_retry"), replay([Attempt(number=1, error="busy", wait=0.0), "a"]))
    with pytest.raises(RuntimeError) as caught:
        pipeline.run("Hello")
    assert caught.value.__notes__ == ["in hook 'on_retry' of plugin 'rogue'"]


def test_an_asynchronous_plugin_is_refused_by_a_synchronous_run(observed):
    """At once, naming hook and plugin and saying what to do; the source is not asked."""
    source = replay(["a"])
    pipeline = observed("class plugin:\n    async def on_text(self, text): ...", source)
    with pytest.raises(ConfigurationError, match=r"hook 'on_text' of plugin 'rogue' is a coroutine.*use astream\(\)"):
        pipeline.run("Hello")
    assert source.requests == []


async def test_the_same_plugin_is_awaited_by_an_asynchronous_run(observed):
    """The other driver takes both colours."""
    pipeline = observed("class plugin:\n    async def on_text(self, text): ...")
    assert (await acollect(pipeline)).result.text == "ab"


async def test_a_plugin_that_blocks_the_event_loop_is_named(observed, caplog):
    """Without being asked to: whoever runs it did not write it."""
    pipeline = observed("import time\nclass plugin:\n    def on_token(self):\n        time.sleep(0.11)")
    assert (await acollect(pipeline)).result.text == "ab"
    said = [record.getMessage() for record in caplog.records if "plugin 'rogue'" in record.getMessage()]
    assert [message.split(" for ")[0] for message in said] == [
        "hook 'on_token' of plugin 'rogue' held up the event loop"
    ]


async def test_a_plugin_that_awaits_for_ever_goes_with_its_run(observed):
    """Cancelling the run ends it: nothing is left to hang."""
    pipeline = observed(
        "import asyncio\nclass plugin:\n    async def on_start(self):\n        await asyncio.Event().wait()"
    )
    run = asyncio.create_task(acollect(pipeline))
    await asyncio.sleep(0)
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run


def test_the_streams_of_others_are_not_touched(observed):
    """A host without the plugin runs as if it were not installed."""
    observed(RAISES.replace("HOOK", "on_text"))
    assert collect(Pipeline(replay(["a"]), host=Host())).result.text == "a"
