"""Composition of a pipeline, and what it makes of a question."""

from contextlib import contextmanager
from types import SimpleNamespace

import attrs
import pytest

from streamkit.errors import ConfigurationError, PluginError
from streamkit.events import Token
from streamkit.pipeline import Pipeline
from streamkit.protocols import Composable
from streamkit.request import Request
from streamkit.sources import Fallback, Record, Retry
from streamkit.testing import replay


@attrs.frozen
class Says(Composable):
    """A source that says one thing."""

    text: str = "hello"

    @contextmanager
    def open(self, request):
        """Open for the synchronous driver."""
        yield iter([[Token(self.text)]])


@attrs.frozen
class Hints:
    """A transform that changes nothing and leaves its mark on the request."""

    mark: str = "mark"

    def start(self):
        """Return a machine that passes everything."""
        return SimpleNamespace(feed=lambda event: (event,), flush=tuple)

    def prepare(self, request):
        """Add the mark to the hints."""
        return attrs.evolve(request, stop=(*request.stop, self.mark))


@attrs.frozen
class Nowhere:
    """A sink that keeps nothing, and happens to be iterable."""

    def open(self, request):
        """Return the writer."""
        return SimpleNamespace(write=lambda event: None, close=lambda result: None)

    def __iter__(self):
        return iter("unrelated")


@attrs.frozen
class AsyncOnly:
    """A source and a sink that only await."""

    def aopen(self, request):
        """Open for the asynchronous driver."""
        raise NotImplementedError


@attrs.frozen
class SyncOnly:
    """A source that cannot await."""

    def open(self, request):
        """Open for the synchronous driver."""
        raise NotImplementedError


def refuses(request):
    """Raise an error of the library's own."""
    raise ConfigurationError("too long")


def raises(request):
    """Raise something else."""
    raise ValueError("bug")


def test_the_operator_builds_what_the_class_builds():
    """One by one, or several at once; an iterable sink is a sink."""
    whole = Pipeline(Says(), transforms=[Hints("a"), Hints("b")], sinks=[Nowhere(), Nowhere()])
    assert Says() | Hints("a") | Hints("b") | Nowhere() | Nowhere() == whole
    assert Says() | [Hints("a"), Hints("b")] | (Nowhere(), Nowhere()) == whole
    assert Says() | (part for part in (Hints("a"), [Hints("b"), Nowhere()], Nowhere())) == whole
    assert Says() | [] == Pipeline(Says())


def test_a_pipeline_is_a_value():
    """Composing returns a new one; it is equal by its parts, printable, and cannot be changed."""
    pipeline = Pipeline(Says(), transforms=[Hints()])
    longer = pipeline | Hints("b")
    assert pipeline == Pipeline(Says(), transforms=(Hints(),)) != longer
    assert "Says(text='hello')" in repr(pipeline)
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        pipeline.transforms = ()


def test_a_pipeline_keeps_its_parameters():
    """The mapping that it was made of may change; a variant has its own, too."""
    given = {"temperature": 0.7}
    pipeline = Pipeline(replay(["a"]), parameters=given)
    variant = pipeline.evolve(sinks=[])
    given["temperature"] = 1.0
    assert pipeline.parameters == variant.parameters == {"temperature": 0.7}
    with pytest.raises(ConfigurationError, match="parameters are a mapping"):
        pipeline.evolve(parameters=None)


def test_a_variant_differs_in_what_is_named():
    """And keeps the rest, the compiled callbacks too where they did not change."""
    seen = []
    keep = lambda text: seen.append(text)  # noqa: E731, PLW0108 - a builtin method is no hook
    pipeline = Pipeline(Says(), transforms=[Hints()], callbacks={"on_text": keep})
    variant = pipeline.evolve(source=Says("bye"))
    assert variant.transforms == pipeline.transforms
    assert [pipeline.run("?").text, variant.run("?").text] == seen == ["hello", "bye"]
    assert variant.evolve(callbacks=()).run("?").text == "bye"
    assert len(seen) == 2


def test_a_transform_after_a_sink_is_refused():
    """Its output would go nowhere."""
    with pytest.raises(ConfigurationError, match="comes after a sink: put the transforms before the sinks"):
        Says() | Nowhere() | Hints()


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Pipeline(Says), r"Says is a class, not a source: write Says\(\.\.\.\)"),
        (lambda: Says() | Hints, r"Hints is a class, not a transform: write Hints\(\.\.\.\)"),
        (lambda: Says() | Nowhere, r"Nowhere is a class, not a sink: write Nowhere\(\.\.\.\)"),
        (lambda: Pipeline(5), r"5 is not a source: it has no method open or aopen\(\)"),
        (lambda: Pipeline(Says(), transforms=[Nowhere()]), r"is not a transform: it has no method start\(\)"),
        (lambda: Says() | 5, "5 is not a sink"),
        (lambda: Says() | "stop", "'stop' is not a sink"),
        (lambda: Says() | [["stop"]], "'stop' is not a sink"),
    ],
)
def test_a_part_without_the_shape_of_its_place_is_refused(build, message):
    """When the pipeline is built, and not when it runs."""
    with pytest.raises(ConfigurationError, match=message):
        build()


def test_callbacks_are_checked_when_the_pipeline_is_built():
    """A class instead of an instance, a name that is no hook, a bare function, and one that is in no list."""
    for wrong in ([Says], {"on_txt": print}, [lambda text: None], Says(), lambda text: None):
        with pytest.raises(PluginError):
            Pipeline(Says(), callbacks=wrong)


def test_the_request_climbs_the_chain_from_the_last_transform():
    """The one next to the source has the last word."""
    pipeline = Says() | Hints("first") | Hints("last")
    seen = []
    pipeline.evolve(callbacks={"on_start": lambda request: seen.extend([request])}).run("Hi", top_k=3)
    assert seen == [Request(prompt="Hi", parameters={"top_k": 3}, stop=("last", "first"))]


@pytest.mark.parametrize(
    ("prepare", "error", "message"),
    [
        (raises, PluginError, r"could not prepare the request: ValueError: bug"),
        (lambda request: None, PluginError, r"prepare\(\) of transform .* returned None, not a Request"),
        (refuses, ConfigurationError, "^too long$"),
    ],
)
def test_a_transform_that_cannot_prepare_is_named(prepare, error, message):
    """Before anything is sent; the library's own errors pass as they are."""
    stage = SimpleNamespace(start=Hints().start, prepare=prepare)
    with pytest.raises(error, match=message):
        Pipeline(Says(), transforms=[stage]).stream("Hi")


def test_stop_is_refused_with_the_name_of_the_remedy():
    """The guarantee is the chain's, so a parameter would promise less than it seems."""
    with pytest.raises(ConfigurationError, match="add StopSequences"):
        Pipeline(Says()).run("Hi", stop=["x"])


def test_the_colour_of_a_run_is_checked_at_its_start():
    """A part that only awaits, in a synchronous run, and the other way round."""
    with pytest.raises(
        ConfigurationError, match=r"AsyncOnly\(\) works only asynchronously: use astream\(\) or arun\(\)"
    ):
        Pipeline(AsyncOnly()).stream("Hi")
    with pytest.raises(ConfigurationError, match=r"sink AsyncOnly\(\) works only asynchronously"):
        (Says() | AsyncOnly()).stream("Hi")
    with pytest.raises(ConfigurationError, match=r"works only synchronously: use stream\(\) or run\(\)"):
        Pipeline(Says()).astream("Hi")


WRAPPED = {
    "Retry": Retry,
    "Fallback, as the last one": lambda source: Fallback(replay(["first"]), source),
    "Record": lambda source: Record(source, "never-made"),
    "Record in Retry in Fallback": lambda source: Fallback(Retry(Record(source, "never-made"))),
}


@pytest.mark.parametrize("wrap", WRAPPED.values(), ids=WRAPPED)
def test_so_is_that_of_the_sources_inside_of_a_source(wrap, tmp_path, monkeypatch):
    """The one that does not work is named before any hook is called, any file made, any other source asked."""
    monkeypatch.chdir(tmp_path)
    called = []
    callbacks = [{"on_start": lambda: called.append("on_start")}]
    with pytest.raises(
        ConfigurationError, match=r"^AsyncOnly\(\) works only asynchronously: use astream\(\) or arun\(\)$"
    ):
        Pipeline(wrap(AsyncOnly()), callbacks=callbacks).stream("Hi")
    with pytest.raises(ConfigurationError, match=r"^SyncOnly\(\) works only synchronously: use stream\(\) or run\(\)$"):
        Pipeline(wrap(SyncOnly()), callbacks=callbacks).astream("Hi")
    assert (called, list(tmp_path.iterdir())) == ([], [])


def test_what_is_inside_of_a_source_must_be_one():
    """An address is none, though `stream()` takes it for one."""
    with pytest.raises(ConfigurationError, match=r"'https://x\.example' is not a source"):
        Pipeline(Retry("https://x.example"))


def test_the_parameters_of_a_request_win_over_the_pipeline_s():
    """And those of the call over both."""
    seen = []
    hooks = {"on_start": lambda request: seen.append(request)}  # noqa: PLW0108 - hooks are called by their names
    pipeline = Pipeline(Says(), parameters={"seed": 1, "top_k": 1, "top_p": 0.1}, callbacks=hooks)
    pipeline.run(Request(prompt="Hi", parameters={"seed": 2, "top_k": 2}), seed=3)
    assert seen[0].parameters == {"seed": 3, "top_k": 2, "top_p": 0.1}


def test_a_conversation_is_asked_as_a_prompt_is():
    """Both reach the source as a request."""
    turn = {"role": "user", "content": "Hello"}
    with Pipeline(Says()).stream([turn]) as stream:
        assert list(stream) == ["hello"]
    assert stream.result.outcome == "completed"
