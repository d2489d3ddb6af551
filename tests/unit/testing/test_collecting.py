"""Everything that came of a run, in one call."""

import pytest

from streamkit import Collect, ConfigurationError, Finish, Pipeline, SourceError, StopSequences, Token
from streamkit.testing import acollect, collect, replay


def test_request_events_and_result_are_kept():
    """The request is the one that the source was asked, stop hints included."""
    ran = collect(replay(["a#", "b"]) | StopSequences("#"), "Hello", max_new_tokens=3)
    assert (ran.request.prompt, ran.request.stop, ran.request.parameters) == ("Hello", ("#",), {"max_new_tokens": 3})
    assert ran.events == (Token("a", raw="a#"), Finish(reason="stop_sequence", stop="#"))
    assert ran.result.text == "a"


async def test_a_failed_run_is_returned_and_not_raised():
    """What was said until then is there."""
    source = replay(["a"], error=SourceError("gone"))
    for ran in (collect(source), await acollect(source)):
        assert (ran.result.outcome, ran.result.text, str(ran.result.error)) == ("failed", "a", "gone")


async def test_a_run_that_cannot_start_is_raised():
    """There is nothing to keep of it."""

    async def on_start(run): ...

    with pytest.raises(ConfigurationError, match="coroutine function"):
        collect(Pipeline(replay(["a"]), callbacks={"on_start": on_start}))

    def fails(run):
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await acollect(Pipeline(replay(["a"]), callbacks={"on_start": fails}))


def test_the_pipelines_own_sinks_are_written_too():
    """Nothing about the pipeline changes but one sink more."""
    own = Collect()
    collect(replay(["a"]) | own)
    assert own.texts == ("a",)
