"""A pipeline whose chain tells what it does: the same transforms, with a witness behind each of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs

from streamkit.chain import Chain
from streamkit.events import Event, Finish, Token
from streamkit.formats._encoding import json_of
from streamkit.pipeline import Pipeline
from streamkit.protocols import Transform
from streamkit.request import Request
from streamkit.web.playground.reports import CHANNEL, Unreported
from streamkit.web.playground.trail import Trail


def followed(pipeline: Pipeline) -> Pipeline:
    """Return the pipeline with reports between its events, for the `PlaygroundEncoder`.

    Args:
        pipeline: Any; its text, its end, and what its sinks and observers get stay as they are.
    """
    return pipeline.evolve(
        transforms=(Followed(pipeline.transforms),), sinks=tuple(Unreported(sink) for sink in pipeline.sinks)
    )


@attrs.frozen
class Followed:
    """A chain of transforms that is followed.

    Args:
        transforms: The chain.
    """

    transforms: tuple[Transform, ...]

    def prepare(self, request: Request) -> Request:
        """Prepare the request as the chain would: last transform first."""
        for transform in reversed(self.transforms):
            prepare = getattr(transform, "prepare", None)
            request = request if prepare is None else prepare(request)
        return request

    def start(self) -> _Following:
        """Return the machine of a new run."""
        return _Following(self.transforms)


class _Following:
    """The state of one run.

    1. Holds back what the chain holds back.
    2. Releases what the chain releases, and behind it a token on a channel of its own, whose text is a report, as
       members of a JSON object: it leaves also where nothing else does, or nobody would see that something is held.
    3. Stops where the chain stops.
    4. Costs a report per token, which is for one person to look at, not for production.
    """

    __slots__ = ("_chain", "_names", "_trail")

    def __init__(self, transforms: Sequence[Transform]) -> None:
        self._trail = trail = Trail(transforms)
        self._names = {"transforms": [type(each).__name__ for each in transforms]}
        chain: list[Any] = []
        for stage, transform in enumerate(transforms):
            chain += (transform, _Witness(trail, stage))
        self._chain = Chain(chain)

    def feed(self, event: Event) -> Sequence[Event]:
        """Take one event."""
        if type(event) is Token:
            self._trail.enter(event)
        return self._reported(self._chain.feed(event))

    def flush(self) -> Sequence[Event]:
        """The source has ended."""
        self._trail.ended = True
        end = Finish()
        events = self._reported(self._chain.drain(end))
        return events[:-1] if events[-1] is end else events

    def _reported(self, events: Sequence[Event]) -> list[Event]:
        events = list(events)
        finish = events[-1] if events else None
        if type(finish) is Finish:
            self._trail.end(finish.reason)
            events.pop()
        report = self._trail.report()
        if report:
            names, self._names = self._names, {}
            said = json_of({**names, "tokens": report}).decode()
            events.append(Token(said[1:-1], channel=CHANNEL, cont=True))
        return [*events, finish] if type(finish) is Finish else events


@attrs.frozen
class _Witness:
    """Sees what leaves one transform: its recipe and its machine, as it has no state of its own."""

    trail: Trail
    stage: int

    def start(self) -> _Witness:
        return self

    def feed(self, event: Event) -> Sequence[Event]:
        if type(event) is Token:
            self.trail.leave(self.stage, event)
        return (event,)

    def flush(self) -> Sequence[Event]:
        return ()
