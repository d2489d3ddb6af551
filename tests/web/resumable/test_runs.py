"""Runs that go on without a client."""

import asyncio
import re

import pytest

from streamkit import ConfigurationError, StoreError, StreamGoneError, StreamRunningError
from streamkit.formats import Tgi, UIMessage
from streamkit.testing.histories import assert_one_history
from streamkit.web.resumable import MemoryStore, ResumableRuns, stream_bytes


@pytest.fixture
async def runs():
    """Return the runs of a process; what still goes on at the end of the test is ended."""
    runs = ResumableRuns(MemoryStore())
    yield runs
    await runs.aclose()
    await runs.store.aclose()


async def _start(runs, model, **options):
    return (await runs.start("chat", model.stream(), UIMessage().encoder(), **options)).reader


async def test_a_client_that_leaves_does_not_stop_the_run(runs, model, read_all, read_until):
    """It goes on, and a client that comes back gets what it missed."""
    reader = await _start(runs, model)
    model.say("Walk")
    left = await read_until(reader, b"Walk")
    del reader
    model.say(" on", None)
    back = await read_all(await runs.read("chat", left[-1].id))
    assert b" on" in b"".join(entry.data for entry in back)
    whole = await read_all(await runs.read("chat"))
    assert assert_one_history([[*left, *back], whole]) == whole


async def test_any_number_of_readers_see_one_history(runs, model, read_all):
    """They come at any time and leave at any time."""
    await _start(runs, model)
    readings = []
    for word in ("a", "b", "c", None):
        readings += [asyncio.create_task(read_all(await runs.read("chat"))) for _ in range(50)]
        model.say(word)
        await asyncio.sleep(0)
    done = [await reading for reading in readings]
    assert_one_history(done)
    assert all(reading == done[0] for reading in done)


async def test_a_client_comes_back_at_every_id(runs, model):
    """By the ids on the wire: what it had and what it gets are the whole body, to the byte."""
    model.say("a", "b", "c", None)
    body = b"".join([data async for data in stream_bytes(await _start(runs, model))])
    for match in re.finditer(rb"id: (\S+)\n.*?\n\n", body):
        reader = await runs.read("chat", match[1].decode())
        assert body[: match.end()] + b"".join([data async for data in stream_bytes(reader)]) == body


@pytest.mark.parametrize("text", ["x", "-", "1", "1-", "1-2-3", "٣-١", "1-" + "9" * 20, "-1-2", " 1-2"])
async def test_an_id_that_is_none_of_ours_is_gone(runs, model, text):
    """Whatever a client sends, it is told that it cannot go on from there."""
    await _start(runs, model)
    with pytest.raises(StreamGoneError):
        await runs.read("chat", text)


async def test_an_empty_id_means_everything(runs, model):
    """A client that has no event yet sends none, or an empty one."""
    await _start(runs, model)
    assert not (await runs.read("chat", "")).ended


async def test_a_taken_id_is_refused(runs, model):
    """The run that has it goes on, and the other is not asked."""
    await _start(runs, model)
    other = type(model)()
    with pytest.raises(StreamRunningError):
        await _start(runs, other)
    assert other.opened == 0


async def test_a_request_that_is_sent_again_is_attached(runs, model, read_all):
    """The model is asked once, also if the answer has ended meanwhile."""
    model.say("a", None)
    first = await read_all(await _start(runs, model, taken="attach"))
    again = type(model)("b", None)
    assert await read_all(await _start(runs, again, taken="attach")) == first
    assert again.opened == 0


async def test_of_requests_at_once_one_runs(runs, model, read_all):
    """The others read what it says."""
    models = [type(model)("a", None) for _ in range(20)]
    readers = await asyncio.gather(*(_start(runs, each, taken="attach") for each in models))
    assert_one_history([await read_all(reader) for reader in readers])
    assert sum(each.opened for each in models) == 1


async def test_it_is_told_whether_the_run_is_ones_own(runs, model):
    """Who counts runs must not count a stream that is only read."""
    own = await runs.start("chat", model.stream(), Tgi().encoder(), taken="attach")
    other = await runs.start("chat", type(model)().stream(), Tgi().encoder(), taken="attach")
    assert other.run is None
    model.say("a", None)
    await own.run


async def test_a_second_question_replaces_the_first(runs, model, read_all):
    """The first run is stopped before the second begins; its readers get its end."""
    first = await _start(runs, model)
    second = await _start(runs, type(model)("b", None), taken="replace")
    assert (await read_all(first))[-1].end == "stopped"
    assert (await read_all(second))[-1].end == "finished"


async def test_a_stop_is_heard(runs, model, read_all):
    """By the run, at once."""
    reader = await _start(runs, model)
    assert await runs.stop("chat") == "stopping"
    assert (await read_all(reader))[-1].end == "stopped"


async def test_a_stop_that_came_first_asks_nothing(runs, model, read_all):
    """The request comes later and is answered by an end."""
    assert await runs.stop("chat") == "pending"
    assert (await read_all(await _start(runs, model)))[-1].end == "stopped"
    assert model.opened == 0


async def test_closing_lets_runs_end_first(runs, model, read_all):
    """What ends within the grace is finished."""
    reader = await _start(runs, model)
    asyncio.get_running_loop().call_later(0.01, model.say, "a", None)
    await runs.aclose(grace=10)
    assert (await read_all(reader))[-1].end == "finished"


async def test_closing_ends_what_goes_on(runs, model, read_all):
    """Each log gets its ending, and the source is closed."""
    model.say("a")
    reader = await _start(runs, model)
    await reader.__anext__()
    await runs.aclose(grace=0.01)
    assert (await read_all(reader))[-1].end == "failed"
    assert model.closed.is_set()


async def test_closing_ends_what_has_hardly_begun(runs, model, read_all):
    """A run whose task has not taken its first step has its ending, too."""
    reader = await _start(runs, model)
    await runs.aclose()
    assert (await read_all(reader))[-1].end == "failed"


@pytest.mark.parametrize("stream_id", ["", "x" * 257])
async def test_an_id_has_a_sensible_length(runs, model, stream_id):
    """A client's words become keys of a store."""
    with pytest.raises(ConfigurationError, match="1 to 256"):
        await runs.start(stream_id, model.stream(), Tgi().encoder())


async def test_nothing_is_asked_where_nothing_can_be_kept(model):
    """A store that does not answer fails the request before it costs anything."""

    class Broken(MemoryStore):
        async def open(self, stream_id, head):
            raise StoreError("no")

    with pytest.raises(StoreError):
        await _start(ResumableRuns(Broken()), model)
    assert model.opened == 0


async def test_nothing_is_asked_where_nothing_can_be_read(model):
    """A store that opens a log and then fails leaves no run that nobody knows of, and the id is free."""

    class Broken(MemoryStore):
        failing = True

        async def read(self, stream_id, after=None):
            if self.failing:
                raise StoreError("no")
            return await super().read(stream_id, after)

    runs = ResumableRuns(Broken())
    with pytest.raises(StoreError):
        await _start(runs, model)
    await asyncio.sleep(0)
    assert model.opened == 0
    runs.store.failing = False
    await _start(runs, model)  # refused, if a run had the id
    await runs.aclose()
