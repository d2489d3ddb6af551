"""A plain function that holds up the event loop is named; one that is quick, or has its thread to itself, is not."""

import logging
import time

import pytest

from drivers import fakes
from streamkit.drivers import _observers, _outlets
from streamkit.errors import SourceError
from streamkit.events import Attempt, Token
from streamkit.hookspecs import LIFECYCLE
from streamkit.host import Host
from streamkit.pipeline import Pipeline

SCRIPT = [[Attempt(number=1, error="busy", wait=0.0)], [Token("a")], [Token("b")]]
PATIENCE = 0.125
"""A power of two, so that sums of it are exact."""


def warnings(caplog):
    """Return the warnings of one plugin, `slow`: on a busy machine any other may be slow, too."""
    said = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    return [message for message in said if "plugin 'slow'" in message]


def observed(source, *plugins, **named):
    """Return a pipeline with observers, some of them by name."""
    host = Host()
    for name, plugin in named.items():
        host.register(plugin, name)
    return Pipeline(source, host=host, callbacks=plugins)


@pytest.fixture
def clock(monkeypatch):
    """A clock that goes on when it is told to: its one item is the time."""
    now = [0.0]
    for module in (_observers, _outlets):
        monkeypatch.setattr(module, "monotonic", lambda: now[0])
        monkeypatch.setattr(module, "PATIENCE", PATIENCE)
    return now


@pytest.mark.parametrize("name", LIFECYCLE)
def test_each_hook_that_blocks_is_named(async_driver, caplog, name):
    """Once in its run, with its plugin and what to do, though it blocks at each call."""
    script = [*SCRIPT, SourceError("broken")] if name == "on_error" else SCRIPT
    pipeline = observed(fakes.Source(script), fakes.Recorder(), slow={name: lambda: time.sleep(0.11)})

    async def ask():
        async with pipeline.astream("Hi") as stream:
            async for _ in stream:
                if name == "on_abort":
                    break

    try:
        async_driver.run(ask)
    except SourceError:
        assert name == "on_error"
    (said,) = warnings(caplog)
    assert said.startswith(f"hook {name!r} of plugin 'slow' held up the event loop for ")
    assert "hand its work to a thread" in said
    assert ("make it `async def`" in said) == (name != "on_abort")


def test_the_limit_is_a_tenth_of_a_second():
    """As it is documented."""
    assert _observers.PATIENCE == _outlets.PATIENCE == 0.1


@pytest.mark.parametrize("name", ["on_start", "on_token", "on_text", "on_final"])
@pytest.mark.parametrize("company", ["alone", "among others", "among coroutine functions", "with a sink that awaits"])
@pytest.mark.parametrize("slow", [True, False])
def test_it_is_named_and_no_other(async_driver, clock, caplog, *, name, company, slow):
    """By its own time: not by that of its neighbours, nor by what all of them took together."""

    def take(seconds):
        clock[0] += seconds

    async def wait():
        clock[0] += 9.0

    others = {
        "among others": [{name: lambda: take(PATIENCE)}, {name: lambda: take(PATIENCE)}],
        "among coroutine functions": [{name: wait}, {name: wait}],
    }.get(company, [])
    pipeline = observed(fakes.Source(SCRIPT), *others, slow={name: lambda: take(PATIENCE + slow)})
    if company == "with a sink that awaits":
        pipeline |= fakes.AsyncSink()
    async_driver.run(pipeline.arun, "Hi")
    said = [record.getMessage() for record in caplog.records]
    assert said == warnings(caplog)
    assert len(said) == slow
    assert all("for 1125 ms" in message for message in said)


def test_each_run_tells_of_it(async_driver, clock, caplog):
    """A warning of a run that is long over helps nobody who looks at this one."""

    def take():
        clock[0] += 1.0

    pipeline = observed(fakes.Source(SCRIPT), slow={"on_text": take})
    for _ in range(2):
        async_driver.run(pipeline.arun, "Hi")
    assert len(warnings(caplog)) == 2


@pytest.mark.parametrize("company", [[], [{"on_text": lambda: None}]], ids=["alone", "among others"])
def test_one_that_blocks_and_then_raises_is_named_too(async_driver, clock, caplog, company):
    """A connection that timed out has done both."""

    def fail():
        clock[0] += 1.0
        raise LookupError("a bug")

    with pytest.raises(LookupError):
        async_driver.run(observed(fakes.Source(SCRIPT), *company, slow={"on_text": fail}).arun, "Hi")
    assert len(warnings(caplog)) == 1


def test_a_synchronous_run_looks_at_no_clock(monkeypatch, caplog):
    """It has its thread to itself, and a hook may take the time that it needs."""
    for module in (_observers, _outlets):
        monkeypatch.setattr(module, "monotonic", None)
    quick = {name: lambda: None for name in LIFECYCLE}
    for company in ([], [quick]):
        assert observed(fakes.Source(SCRIPT), *company, slow=quick).run("Hi").text == "ab"
    assert caplog.records == []
