"""The calls of hooks, written down and held to their grammar."""

import pytest

from streamkit import Host, Pipeline, SourceError
from streamkit.hookspecs import LIFECYCLE
from streamkit.testing import HookRecorder, collect, record_hooks, replay
from streamkit.testing.recording import GRAMMAR


def test_a_pipeline_is_recorded_by_its_variant():
    """The pipeline itself stays as it is."""
    pipeline = Pipeline(replay(["a", "b"]))
    recorder = record_hooks(pipeline)
    pipeline.run()
    assert recorder.calls == []
    recorder.observed.run("Hello")
    assert recorder.names == ["on_start", "on_token", "on_text", "on_token", "on_text", "on_completion", "on_final"]
    assert recorder.values("on_text") == ["a", "b"]
    assert recorder.values("on_start")[0].prompt == "Hello"
    recorder.assert_grammar()


def test_a_host_is_recorded_from_then_on():
    """Every pipeline made with it is."""
    recorder = record_hooks(Host())
    Pipeline(replay(["a"]), host=recorder.observed).run()
    recorder.assert_grammar()


def test_runs_at_the_same_time_are_told_apart():
    """Each run keeps the grammar by itself, however they mix."""
    recorder = record_hooks(Pipeline(replay(["a", "b"])))
    with recorder.observed.stream() as one, recorder.observed.stream() as two:
        for _ in zip(one, two, strict=True):
            pass
    assert recorder.names[:4] == ["on_start", "on_token", "on_text", "on_start"]
    recorder.assert_grammar()


@pytest.mark.parametrize("error", [None, SourceError("gone")])
def test_failed_runs_keep_the_grammar_too(error):
    """An error comes before the end."""
    recorder = record_hooks(Pipeline(replay(["a"], error=error)))
    collect(recorder.observed)
    recorder.assert_grammar()
    assert ("on_error" in recorder.names) == (error is not None)


@pytest.mark.parametrize(
    "names",
    [
        ["on_start"],
        ["on_start", "on_final", "on_final"],
        ["on_token", "on_start", "on_final"],
        ["on_start", "on_token", "on_retry", "on_final"],
        ["on_start", "on_error", "on_abort", "on_final"],
        ["on_start", "on_error", "on_text", "on_final"],
    ],
)
def test_calls_out_of_their_place_are_found(names):
    """The message has the grammar and the calls."""
    recorder = HookRecorder()
    for name in names:
        getattr(recorder, name)("RUN", None)
    with pytest.raises(AssertionError, match=r"are called as on_start .* on_final, not as " + " ".join(names)):
        recorder.assert_grammar()


def test_silence_is_no_grammar():
    """A test whose run never started must not pass."""
    with pytest.raises(AssertionError, match="no hook was called"):
        HookRecorder().assert_grammar()


def test_each_lifecycle_hook_is_recorded():
    """The recorder and its grammar know every hook there is."""
    assert [name for name in vars(HookRecorder) if name.startswith("on_")] == list(LIFECYCLE)
    assert all(name in GRAMMAR for name in LIFECYCLE)
