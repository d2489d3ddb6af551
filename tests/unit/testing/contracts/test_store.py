"""The contract of stores: our own keeps it, and each law finds who breaks it."""

import asyncio

import attrs
import pytest

from streamkit import Host
from streamkit.stores.memory import MemoryStore
from streamkit.testing import LawBroken, assert_store_contract
from streamkit.testing.contracts import store as contract


class Shares:
    """One of several stores that have the same streams."""

    def __init__(self, one):
        self._one = one

    def __getattr__(self, name):
        return getattr(self._one, name)

    async def aclose(self):
        """Leave the streams to the others."""


def test_memory_keeps_it():
    """Each store for itself."""
    assert_store_contract(MemoryStore)


def test_stores_that_share_their_streams_keep_it():
    """What one of them writes, the other reads and stops."""
    one = MemoryStore()
    assert_store_contract(lambda: Shares(one), shared=True, examples=20)


def test_stores_that_do_not_share_are_found():
    """They were said to."""
    assert "it could not be read while it went on" in broken(MemoryStore, shared=True)


def test_each_registered_store_is_held_to_it():
    """A new one must be added above."""
    assert {part.factory for part in Host().registry("stores").values()} == {MemoryStore}


def broken(store, **options):
    """Return the message about a store that breaks a law."""
    with pytest.raises(LawBroken) as caught:
        assert_store_contract(store, **options)
    return str(caught.value)


class Log:
    """A log that passes everything on."""

    def __init__(self, log):
        self.log = log

    def __getattr__(self, name):
        return getattr(self.log, name)


class Forgets(Log):
    """Loses what comes third at once."""

    async def append(self, data):
        """Add two."""
        await self.log.append(data[:2])


class NeverEnds(Log):
    """Has no last entry."""

    async def end(self, ending, data=()):
        """Add entries like any other."""
        await self.log.append([*data])


class Deaf(Log):
    """Never hears of a stop."""

    async def stop_requested(self):
        """Wait for nothing."""
        await asyncio.Event().wait()


class Hasty(Log):
    """Takes every beginning for a stop."""

    async def stop_requested(self):
        """Return at once."""


async def _loses_the_head(self, stream_id, head):
    return await MemoryStore.open(self, stream_id, attrs.evolve(head, will=b""))


async def _loses_an_entry(self, stream_id, after=None):
    reader = await MemoryStore.read(self, stream_id, after)
    reader._place += after is not None and len(reader._log.entries) > after[1] + 2
    return reader


async def _knows_every_place(self, stream_id, after=None):
    log = self._logs.get(stream_id)
    return await MemoryStore.read(self, stream_id, after and log and (log.epoch, min(after[1], len(log.entries))))


async def _knows_every_stream(self, stream_id, after=None):
    if stream_id not in self._logs:
        await self.open(stream_id, contract._HEAD)
    return await MemoryStore.read(self, stream_id, after)


async def _takes_over(self, stream_id, head):
    former = self._logs.get(stream_id)
    if former is not None:
        await former.end("stopped")
    return await MemoryStore.open(self, stream_id, head)


async def _counts_anew(self, stream_id, head):
    log = await MemoryStore.open(self, stream_id, head)
    log.epoch = 7
    return log


async def _remembers_epochs(self, stream_id, head):
    log = await MemoryStore.open(self, stream_id, head)
    vars(self).setdefault("epochs", set()).add(log.epoch)
    return log


async def _takes_an_id_for_one_of_this_run(self, stream_id, after=None):
    known = after is not None and after[0] in vars(self).get("epochs", ())
    return await MemoryStore.read(self, stream_id, (self._logs[stream_id].epoch, after[1]) if known else after)


async def _says_the_same(self, stream_id):
    await MemoryStore.stop(self, stream_id)
    return "stopping"


async def _raises(self, stream_id, head):
    raise ValueError("never")


def memory(**methods):
    """Return a store with some methods of its own."""
    return type("Changed", (MemoryStore,), methods)


def with_fault(fault):
    """Return a store whose logs have a fault."""

    async def open_log(self, stream_id, head):
        return fault(await MemoryStore.open(self, stream_id, head))

    return memory(open=open_log)


@pytest.mark.parametrize(
    ("store", "law", "fact"),
    [
        (with_fault(Forgets), "each entry once, in order", "_History(batches=[[b'\\x00', b'\\x00', b'\\x00']]"),
        (with_fault(NeverEnds), "the ending in the last one alone", "after the end, it had not come to a reader"),
        (memory(open=_loses_the_head), "gets the head", "will=b''"),
        (memory(read=_loses_an_entry), "a reader that comes back gets what follows its place", "where ended was False"),
        (memory(read=_knows_every_place), "no reader misses one", "no StreamGoneError was raised"),
        (memory(read=_knows_every_stream), "no reader misses one", "a stream that nobody began was read"),
        (memory(open=_takes_over), "an id has one run at a time", "6 runs that were begun at once, 6 were"),
        (memory(open=_counts_anew), "whose epoch is larger", "the second: 7-1 b'a', 7-2 b'end' finished"),
        (
            memory(open=_remembers_epochs, read=_takes_an_id_for_one_of_this_run),
            "an id of a former run",
            "of the first run",
        ),
        (
            memory(stop=_says_the_same),
            "a stop reaches",
            "stop() before a run was begun answered 'stopping' and not 'pending'",
        ),
        (with_fault(Deaf), "a stop reaches", "did not hear of it"),
        (with_fault(Hasty), "a stop reaches", "a stop that was for the one before it"),
    ],
)
def test_each_law_is_held(monkeypatch, store, law, fact):
    """The message names the store, and has the law and what was seen."""
    monkeypatch.setattr(contract, "_PATIENCE", 0.5)
    message = broken(store)
    assert message.startswith("Changed(")
    assert law in message
    assert fact in message


def test_what_a_store_raises_of_its_own_is_shown():
    """It is no broken law but a mistake, and its traceback leads to it."""
    with pytest.raises(ValueError, match="never"):
        assert_store_contract(memory(open=_raises))
