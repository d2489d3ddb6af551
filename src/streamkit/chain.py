"""The machines of one run, in order: what an event becomes on its way through all of them, and how they are ended."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any, TypeAlias

from streamkit.errors import PluginError, StreamkitError
from streamkit.events import KINDS, Event, Finish, Token
from streamkit.protocols import Machine, Transform

Feed: TypeAlias = Callable[[Event], Sequence[Event]]
Ask: TypeAlias = Callable[[], Any]


class Chain:
    """The chain of one run.

    1. `feed` hands an event from machine to machine and returns what leaves the last one.
    2. When a machine ends the stream, or at the source's end by `drain`, the later machines are fed what is left and
       flushed in order; the `Finish` leaves last.
    3. `held` ends a stream that was broken off, to tell what the machines had held back of the answer.
    4. `passes` tells text that no machine would touch in its present state: a plain token with such text need not be
       fed (see `WatchfulMachine`). It is `None` when every token must be.

    Args:
        transforms: The recipes, in order.

    Raises:
        PluginError: A transform could not be started, or what it started is no machine.
    """

    __slots__ = ("_asks", "_ended", "_feeds", "_machines", "_recipes", "passes")

    def __init__(self, transforms: Iterable[Transform]) -> None:
        self._recipes = tuple(transforms)
        self._machines = tuple(map(_start, self._recipes))
        self._feeds: tuple[Feed, ...] = tuple(machine.feed for machine in self._machines)
        self._asks = _asks(self._machines)
        self._ended = False
        self.passes: Callable[[str], bool] | None = None

    def feed(self, event: Event) -> Sequence[Event]:
        """Take an event that is no `Finish`.

        Returns:
            What leaves; if a machine ended the stream, everything that was left, and the `Finish`.

        Raises:
            PluginError: A transform raised, or returned something else than events.
        """
        self.passes = None
        events: Sequence[Event] = (event,)
        last = event
        alone = True
        position = 0
        try:
            for position, feed in enumerate(self._feeds):  # noqa: B007 - named in the error below
                events = feed(last) if alone else _feed_all(feed, events)
                kind = type(events)
                if kind is not tuple and kind is not list:
                    _check(events, "feed")
                if not events:
                    return ()
                last = events[-1]
                alone = len(events) == 1
                if not alone or type(last) is not Token:
                    _check(events, "feed")
                    if type(last) is Finish:
                        break
        except Exception as error:
            raise self._blame(position, error) from error
        if type(last) is Finish:
            return self.drain(last, events[:-1], position + 1)
        if self._asks is not None:
            self.passes = self._shortcut(self._asks)
        return events

    def drain(self, finish: Finish, events: Sequence[Event] = (), position: int = 0) -> list[Event]:
        """Feed and flush the machines from `position` on.

        A machine that ends the stream during the drain has cut text that came before the end which started it, so
        its reason replaces the earlier one.

        Args:
            finish: Why the stream ends.
            events: What the machine at `position` has not seen yet.
            position: The first machine that has not ended.

        Returns:
            What was held back, then a `Finish`.

        Raises:
            PluginError: A transform raised, or returned something else than events.
        """
        self.passes = None
        self._ended = True
        try:
            for position in range(position, len(self._machines)):  # noqa: B020, PLR1704 - named in the error below
                passed = _feed_all(self._feeds[position], events)
                if not (passed and type(passed[-1]) is Finish):
                    passed += _check(self._machines[position].flush(), "flush")
                last = passed[-1] if passed else None
                if type(last) is Finish:
                    finish = last
                    passed.pop()
                events = passed
        except Exception as error:
            raise self._blame(position, error) from error
        return [*events, finish]

    def held(self) -> str:
        """End the machines, unless this was done or begun.

        Returns:
            The answer's text that they then release; nothing if one of them raises.
        """
        if self._ended:
            return ""
        try:
            events = self.drain(Finish())
        except PluginError:
            return ""
        return "".join(event.text for event in events if type(event) is Token and event.channel == "text")

    def _shortcut(self, asks: Iterable[Ask]) -> Callable[[str], bool] | None:
        watched: list[frozenset[str]] = []
        position = 0
        try:
            for position, ask in enumerate(asks):  # noqa: B007 - named in the error below
                characters = ask()
                if characters is None:
                    return None
                if not isinstance(characters, frozenset):
                    what = type(characters).__name__
                    raise _UnfitError(f"returned {what} from triggers(): return a frozenset or None")  # noqa: TRY301 - handled like what it raises
                watched.append(characters)
        except Exception as error:
            raise self._blame(position, error) from error
        return _watch_for(tuple(watched))

    def _blame(self, position: int, error: Exception) -> PluginError:
        did = str(error) if isinstance(error, _UnfitError) else f"raised {type(error).__name__}: {error}"
        return PluginError(f"transform {self._recipes[position]!r} {did}")


class _UnfitError(Exception):
    """What a machine returned is no events."""


def _start(recipe: Transform) -> Machine:
    try:
        machine = recipe.start()
    except StreamkitError:
        raise
    except Exception as error:
        raise PluginError(f"transform {recipe!r} could not be started: {type(error).__name__}: {error}") from error
    if not (hasattr(machine, "feed") and hasattr(machine, "flush")):
        raise PluginError(
            f"transform {recipe!r} could not be started: its start() returned {type(machine).__name__}, "
            "not a machine: return an object with the methods feed() and flush()"
        )
    return machine


def _asks(machines: Iterable[Machine]) -> tuple[Ask, ...] | None:
    """Return the `triggers` of every machine; `None` if one of them has none."""
    asks: tuple[Any, ...] = tuple(getattr(machine, "triggers", None) for machine in machines)
    return None if None in asks else asks


def _check(events: Sequence[Event], method: str) -> Sequence[Event]:
    """Return what a machine returned, if it is events: whatever else has a length would be lost without a word."""
    if not isinstance(events, tuple | list):
        raise _UnfitError(f"returned {type(events).__name__} from {method}(): return a tuple or list of events")
    for position, event in enumerate(events, 1):
        if type(event) is Token:
            continue
        if not isinstance(event, KINDS):
            raise _UnfitError(
                f"returned a {type(events).__name__} with {type(event).__name__} in it from {method}(): "
                "return a tuple or list of events"
            )
        if type(event) is Finish and position < len(events):
            raise _UnfitError(f"returned a Finish from {method}() before its last event: a Finish comes last, and once")
    return events


@lru_cache(maxsize=32)
def _watch_for(sets: tuple[frozenset[str], ...]) -> Callable[[str], bool]:
    return frozenset().union(*sets).isdisjoint


def _feed_all(feed: Feed, events: Sequence[Event]) -> list[Event]:
    passed: list[Event] = []
    for event in events:
        passed += _check(feed(event), "feed")
        if passed and type(passed[-1]) is Finish:
            break
    return passed
