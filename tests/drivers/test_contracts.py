"""Sources and transforms that give something else than events: refused by name, and never lost without a word."""

import pytest

from drivers import fakes
from streamkit.errors import PluginError
from streamkit.events import Finish, Token
from streamkit.pipeline import Pipeline

END = Finish(reason="eos_token")


@pytest.mark.parametrize(
    ("returned", "said"),
    [
        ("text", r"returned str from feed\(\): return a tuple or list of events"),
        (["text"], r"returned a list with str in it from feed\(\)"),
        ((Token("a"), None), r"returned a tuple with NoneType in it from feed\(\)"),
        (None, r"returned NoneType from feed\(\): return a tuple or list of events"),
        ((event for event in ()), r"returned generator from feed\(\): return a tuple or list of events"),
        ([END, Token("a")], r"returned a Finish from feed\(\) before its last event"),
        ([END, END], r"returned a Finish from feed\(\) before its last event"),
    ],
    ids=["a string", "strings", "an event and None", "None", "a generator", "Finish first", "Finish twice"],
)
@pytest.mark.parametrize("place", ["first", "behind one that returns two"])
def test_a_transform_that_feeds_no_events_on_fails_the_run_and_is_named(driver, hello, returned, said, place):
    """Whatever has a length would pass for events otherwise, and the run for complete."""
    doubling = fakes.Transform(lambda event: [Token("x"), event])
    broken = fakes.Transform(lambda event: returned, name="Broken()")
    played = driver.play(fakes.Source(hello), *([doubling] if place != "first" else []), broken, fakes.Transform())
    assert isinstance(played.raised, PluginError)
    assert played.result.outcome == "failed"
    assert played.items == []
    with pytest.raises(PluginError, match=rf"^transform Broken\(\) {said}"):
        raise played.raised


@pytest.mark.parametrize("returned", ["text", ["text"], None, [END, Token("a")]], ids=repr)
def test_a_transform_that_flushes_no_events_fails_the_run_and_is_named(driver, hello, returned):
    """The end of a stream is held to the same."""
    broken = fakes.Transform(flush=lambda: returned, name="Broken()")
    played = driver.play(fakes.Source(hello), broken, fakes.Transform())
    with pytest.raises(PluginError, match=r"^transform Broken\(\) returned .* from flush\(\)"):
        raise played.raised


def test_a_transform_that_starts_no_machine_is_refused_before_the_run(driver):
    """A `start` without its `return` is named, with what it lacks."""

    class Broken:
        def start(self):
            pass

        def __repr__(self):
            return "Broken()"

    pipeline = Pipeline(fakes.Source(), transforms=[Broken()])
    with pytest.raises(PluginError, match=r"^transform Broken\(\) could not be started: .* NoneType, not a machine"):
        (pipeline.astream if driver.asynchronous else pipeline.stream)("Hi")


class Faulty(fakes.Source):
    """A source whose `open` returns, or gives, something of its own."""

    def __init__(self, returned=None, given=None):
        super().__init__()
        self.returned, self.given = returned, given

    def __repr__(self):
        return "Faulty()"

    def open(self, request):
        """Return it, or a reading that gives it."""
        return self.returned or Giving(self.given)


class Giving:
    """A reading that gives no batches."""

    def __init__(self, given):
        self.given = given

    def __enter__(self):
        return self.given

    def __exit__(self, *_):
        pass

    async def __aenter__(self):
        return self.given

    async def __aexit__(self, *_):
        pass


@pytest.mark.parametrize(
    "batch",
    [
        "abc",
        ["abc"],
        Token("a"),
        None,
        {"token": {}},
        {"token": {}, "generated_text": None},
        {Token("a"), END},
        (event for event in ()),
    ],
    ids=lambda batch: type(batch).__name__,
)
def test_a_source_that_gives_no_batches_of_events_fails_the_run_and_is_named(driver, batch):
    """A source of a user's own, that yields tokens or text where batches belong, is told so."""
    played = driver.play(fakes.Source([batch]))
    assert played.result.outcome == "failed"
    with pytest.raises(PluginError, match=r"^source Source\(.* gave \w+.* must be tuples or lists of events$"):
        raise played.raised


def test_a_source_without_a_context_manager_is_named(driver):
    """Who forgets `@contextmanager` reads what to write."""
    played = driver.play(Faulty(returned=(batch for batch in ())))
    decorator = "asynccontextmanager" if driver.asynchronous else "contextmanager"
    with pytest.raises(PluginError, match=rf"^source Faulty\(\) gave generator, .*@contextlib\.{decorator}$"):
        raise played.raised


def test_a_source_whose_context_manager_gives_no_iterator_is_named(driver):
    """Nor is a context manager that gives nothing to iterate over an empty answer."""
    played = driver.play(Faulty())
    with pytest.raises(PluginError, match=r"^source Faulty\(\) gave NoneType, .* iterator of batches$"):
        raise played.raised
