"""`play`: one test body for both drivers.

It holds every run that it drives to the promises that no ending may break: the grammar of the hooks, one result, a
source that is left once, writers that are closed once.
"""

from __future__ import annotations

import asyncio
import threading

import attrs
import trio

from drivers.fakes import Recorder, Source
from streamkit.events import Token
from streamkit.pipeline import Pipeline


@attrs.define
class Played:
    """What a run came to."""

    stream: object
    source: Source
    recorder: Recorder
    sinks: tuple
    items: list = attrs.field(factory=list)
    raised: BaseException | None = None

    @property
    def result(self):
        """The result, as the stream tells it."""
        return self.stream.result

    @property
    def texts(self):
        """The texts of the tokens that the consumer got."""
        return [event.text for event in self.items if isinstance(event, Token)]

    def check(self):
        """Hold the run to what no ending may break."""
        assert self.source.entered == self.source.exited <= 1
        if self.recorder.calls:
            self.recorder.assert_grammar()
            assert self.recorder.values("on_final")[0] is self.result
            assert bool(self.recorder.values("on_error")) == (self.result.outcome == "failed")
            assert bool(self.recorder.values("on_abort")) == (self.result.outcome == "aborted")
        for sink in self.sinks:
            assert len(sink.results) == sink.opened <= 1
        return self


def _compose(source, transforms, sinks, callbacks, recorder):
    return Pipeline(source, transforms=transforms, sinks=sinks, callbacks=[*callbacks, recorder])


class SyncDriver:
    """Plays with `stream()`."""

    asynchronous = False
    event = threading.Event

    def play(self, source, *transforms, sinks=(), callbacks=(), recorder=None, body=None, view="events"):
        """Iterate to the end; `body` is the consumer's loop body, and a true answer of it is a `break`."""
        recorder = recorder or Recorder()
        stream = _compose(source, transforms, sinks, callbacks, recorder).stream("Hi")
        played = Played(stream, source, recorder, sinks)
        try:
            with stream:
                for item in stream if view == "text" else getattr(stream, view)():
                    played.items.append(item)
                    if body and body(item):
                        break
        except BaseException as error:  # noqa: BLE001 - the test asks what it was
            played.raised = error
        return played.check()


class AsyncDriver:
    """Plays with `astream()` on one of the event loops."""

    asynchronous = True

    def __init__(self, run, event):
        self.run = run
        self.event = event

    def play(self, *arguments, **options):
        """Iterate to the end, as the synchronous one does."""
        return self.run(self.aplay, *arguments, **options).check()

    async def aplay(self, source, *transforms, sinks=(), callbacks=(), recorder=None, body=None, view="events"):
        """Play inside a loop that runs already."""
        played = self.prepare(source, *transforms, sinks=sinks, callbacks=callbacks, recorder=recorder)
        try:
            await self.consume(played, body, view)
        except Exception as error:  # noqa: BLE001 - the test asks what it was
            played.raised = error
        return played

    def prepare(self, source, *transforms, sinks=(), callbacks=(), recorder=None):
        """Return a run that has not begun."""
        recorder = recorder or Recorder()
        stream = _compose(source, transforms, sinks, callbacks, recorder).astream("Hi")
        return Played(stream, source, recorder, sinks)

    async def consume(self, played, body=None, view="events"):
        """Iterate over a prepared run."""
        stream = played.stream
        async with stream:
            async for item in stream if view == "text" else getattr(stream, view)():
                played.items.append(item)
                if body and body(item):
                    break

    def play_cancelled(self, played, reached, body=None):
        """Consume in a task of its own, which is cancelled when `reached` is set."""
        self.run(self._cancel, played, reached, body)
        return played.check()

    async def _watch(self, played, body):
        try:
            await (body or self.consume)(played)
        except BaseException as error:
            played.raised = error
            raise

    async def _cancel(self, played, reached, body):
        if self.event is trio.Event:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._watch, played, body)
                await reached.wait()
                nursery.cancel_scope.cancel()
            return
        task = asyncio.create_task(self._watch(played, body))
        await reached.wait()
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()


def _on_asyncio(function, *arguments, **options):
    return asyncio.run(function(*arguments, **options))


def _on_trio(function, *arguments, **options):
    async def main():
        return await function(*arguments, **options)

    return trio.run(main)


SYNC = SyncDriver()
ASYNC = {"asyncio": AsyncDriver(_on_asyncio, asyncio.Event), "trio": AsyncDriver(_on_trio, trio.Event)}
