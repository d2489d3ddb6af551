"""A chain that tells what it does: the same transforms, with a witness behind each of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import attrs

from streamkit.chain import Chain
from streamkit.events import Event, Finish, Token
from streamkit.protocols import Transform
from streamkit.request import Request
from streamkit.trail import Trace, Trail

Tell: TypeAlias = Callable[[Sequence[Trace]], Sequence[Event]]


@attrs.frozen
class Followed:
    """A chain of transforms as one transform, which tells what becomes of each token.

    Args:
        transforms: The chain.
        tell: Called after each token, and at the end, with the tokens of which something has changed; what it returns
            leaves the chain behind the text.
    """

    transforms: tuple[Transform, ...]
    tell: Tell

    def prepare(self, request: Request) -> Request:
        """Prepare the request as the chain would: last transform first."""
        for transform in reversed(self.transforms):
            prepare = getattr(transform, "prepare", None)
            request = request if prepare is None else prepare(request)
        return request

    def start(self) -> _Following:
        """Return the machine of a new run."""
        return _Following(self.transforms, self.tell)


class _Following:
    """The state of one run.

    1. Holds back what the chain holds back.
    2. Releases what the chain releases, and behind it what `tell` returns: it is asked also where nothing else leaves,
       or nobody would see that something is held.
    3. Stops where the chain stops.
    4. Costs a look at each token behind each transform, which is for one person to look at, not for production.
    """

    __slots__ = ("_chain", "_tell", "_trail")

    def __init__(self, transforms: Sequence[Transform], tell: Tell) -> None:
        self._tell = tell
        self._trail = trail = Trail(transforms)
        chain: list[Any] = []
        for stage, transform in enumerate(transforms):
            chain += (transform, _Witness(trail, stage))
        self._chain = Chain(chain)

    def feed(self, event: Event) -> Sequence[Event]:
        """Take one event."""
        if type(event) is Token:
            self._trail.enter(event)
        return self._told(self._chain.feed(event))

    def flush(self) -> Sequence[Event]:
        """The source has ended."""
        self._trail.ended = True
        end = Finish()
        events = self._told(self._chain.drain(end))
        return events[:-1] if events[-1] is end else events

    def _told(self, events: Sequence[Event]) -> list[Event]:
        events = list(events)
        finish = events[-1] if events else None
        if type(finish) is Finish:
            self._trail.end(finish.reason)
            events.pop()
        changes = self._trail.changes()
        if changes:
            events += self._tell(changes)
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
