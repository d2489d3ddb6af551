"""The machines of one run, in order: what an event becomes on its way through all of them, and how they are ended."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any, TypeAlias

from streamkit.errors import PluginError, StreamkitError
from streamkit.events import Event, Finish
from streamkit.protocols import Machine, Transform

Feed: TypeAlias = Callable[[Event], Sequence[Event]]
Ask: TypeAlias = Callable[[], "frozenset[str] | None"]


class Chain:
    """The chain of one run.

    1. `feed` hands an event from machine to machine and returns what leaves the last one.
    2. When a machine ends the stream, or at the source's end by `drain`, the later machines are fed what is left and
       flushed in order; the `Finish` leaves last.
    3. `passes` tells text that no machine would touch in its present state: a plain token with such text need not be
       fed (see `WatchfulMachine`). It is `None` when every token must be.

    Args:
        transforms: The recipes, in order.

    Raises:
        PluginError: A transform could not be started.
    """

    __slots__ = ("_asks", "_feeds", "_machines", "_recipes", "passes")

    def __init__(self, transforms: Iterable[Transform]) -> None:
        self._recipes = tuple(transforms)
        self._machines = tuple(map(_start, self._recipes))
        self._feeds: tuple[Feed, ...] = tuple(machine.feed for machine in self._machines)
        self._asks = _asks(self._machines)
        self.passes: Callable[[str], bool] | None = None

    def feed(self, event: Event) -> Sequence[Event]:
        """Take an event that is no `Finish`.

        Returns:
            What leaves; if a machine ended the stream, everything that was left, and the `Finish`.

        Raises:
            PluginError: A transform raised.
        """
        self.passes = None
        events: Sequence[Event] = (event,)
        last = event
        position = 0
        try:
            for position, feed in enumerate(self._feeds):  # noqa: B007 - named in the error below
                events = feed(events[0]) if len(events) == 1 else _feed_all(feed, events)
                if len(events) == 0:  # not `not events`: None or a generator is the machine's mistake, and raises here
                    return ()
                last = events[-1]
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
            PluginError: A transform raised.
        """
        self.passes = None
        try:
            for position in range(position, len(self._machines)):  # noqa: B020, PLR1704 - named in the error below
                passed = _feed_all(self._feeds[position], events)
                if not (passed and type(passed[-1]) is Finish):
                    passed += self._machines[position].flush()
                last = passed[-1] if passed else None
                if type(last) is Finish:
                    finish = last
                    passed.pop()
                events = passed
        except Exception as error:
            raise self._blame(position, error) from error
        return [*events, finish]

    def _shortcut(self, asks: Iterable[Ask]) -> Callable[[str], bool] | None:
        triggers: set[frozenset[str]] = set()
        position = 0
        try:
            for position, ask in enumerate(asks):  # noqa: B007 - named in the error below
                characters = ask()
                if characters is None:
                    return None
                triggers.add(characters)
        except Exception as error:
            raise self._blame(position, error) from error
        return _union(frozenset(triggers)).isdisjoint

    def _blame(self, position: int, error: Exception) -> PluginError:
        return PluginError(f"transform {self._recipes[position]!r} raised {type(error).__name__}: {error}")


def _start(recipe: Transform) -> Machine:
    try:
        return recipe.start()
    except StreamkitError:
        raise
    except Exception as error:
        raise PluginError(f"transform {recipe!r} could not be started: {type(error).__name__}: {error}") from error


def _asks(machines: Iterable[Machine]) -> tuple[Ask, ...] | None:
    """Return the `triggers` of every machine; `None` if one of them has none."""
    asks: tuple[Any, ...] = tuple(getattr(machine, "triggers", None) for machine in machines)
    return None if None in asks else asks


@lru_cache(maxsize=32)
def _union(sets: frozenset[frozenset[str]]) -> frozenset[str]:
    return frozenset().union(*sets)


def _feed_all(feed: Feed, events: Sequence[Event]) -> list[Event]:
    passed: list[Event] = []
    for event in events:
        passed += feed(event)
        if passed and type(passed[-1]) is Finish:
            break
    return passed
