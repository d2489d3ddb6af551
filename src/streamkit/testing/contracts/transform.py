"""The laws of transforms."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Final

import attrs

from streamkit.events import Event, Finish, Token
from streamkit.protocols import Machine, Transform
from streamkit.request import Request
from streamkit.testing.contracts._laws import LawBroken, about, check_events, check_frozen, examine, guarded, written
from streamkit.testing.contracts._streams import pairs, streams, words_of
from streamkit.testing.feeding import visible, ways

__tracebackhide__ = True  # pytest shows the author's test, and none of this
CUTS: Final = "how the engine cuts its text into tokens makes no difference"
ENDS: Final = "nothing follows the Finish with which a machine ends the stream"
FOREIGN: Final = "events that are no tokens pass as they are, each once and in order"
FRESH: Final = "each run starts afresh: start() returns a machine that shares no state with others"
IDS: Final = "an id leaves at most once, in the order of its channel, and none is made up"
RAISES: Final = "a machine takes any event without raising"
WATCHES: Final = "a plain token without any of triggers() would be returned as it is and change nothing"


def assert_transform_contract(
    transform: Transform, *, words: Iterable[str] = (), whole_tokens: bool = False, examples: int = 200
) -> None:
    """Hold a transform to the laws of transforms.

    1. The recipe is frozen, and each `start()` gives a machine of its own, also while others run.
    2. `feed` and `flush` return a tuple or list of events, and raise nothing.
    3. How the engine cuts its text into tokens changes neither the text of a channel nor how the stream ends.
    4. An id leaves at most once, in order; events that are no tokens pass as they are; nothing follows a `Finish`.
    5. `triggers()`, where there is one, tells the truth: what the engine does not feed would have changed nothing.
    6. `prepare()`, where there is one, returns a `Request`.

    The streams are made of the strings found in the transform's settings and code.

    Args:
        transform: The transform.
        words: More strings that matter to it.
        whole_tokens: True for a transform whose purpose is to look at tokens as the engine made them: the third law
            then does not hold.
        examples: How many streams to try.

    Raises:
        LawBroken: A law is broken; the message has the smallest stream that shows it.
    """
    with about(transform):
        check_frozen(transform)
        _check_prepare(transform)
        machine = guarded("start() returns a machine", transform.start)
        strategy = streams((*words, *words_of(transform, machine)))
        examine(partial(_check, transform, whole_tokens), strategy, examples)
        examine(partial(_check_independence, transform), pairs(strategy), examples // 4 or 1)


def _check(transform: Transform, whole_tokens: bool, events: list[Event]) -> None:
    ran = _run(transform, events)
    again = _run(transform, events)
    if again.leaving != ran.leaving:
        raise LawBroken(FRESH, f"{_gives(events, ran)} the first time", f"{_gives(events, again)} the second time")
    _check_leaving(events, ran)
    if not whole_tokens:
        _check_cuts(transform, events, ran)
    if hasattr(transform.start(), "triggers"):
        _check_triggers(transform, events, ran)


@attrs.frozen
class _Ran:
    """What a machine made of a stream.

    Args:
        leaving: What left, the machine's own `Finish` included.
        fed: How many events it took until it ended the stream.
    """

    leaving: list[Event]
    fed: int

    @property
    def finish(self) -> Finish | None:
        last = self.leaving[-1] if self.leaving else None
        return last if isinstance(last, Finish) else None

    @property
    def texts(self) -> dict[str, str]:
        channels = {event.channel for event in self.leaving if isinstance(event, Token) and event.text}
        return {channel: visible(self.leaving, channel) for channel in sorted(channels)}


def _run(transform: Transform, events: Sequence[Event], *, watchful: bool = False) -> _Ran:
    """Feed a new machine as the engine does; a watchful one gets only what it watches for."""
    machine = transform.start()
    leaving: list[Event] = []
    passes: Callable[[str], bool] | None = None
    for fed, event in enumerate(events, 1):
        if passes is not None and _plain(event) and passes(event.text):  # type: ignore[union-attr]  # plain: a token
            leaving.append(event)
            continue
        leaving += _fed(machine, event)
        if leaving and isinstance(leaving[-1], Finish):
            return _Ran(leaving, fed)
        if watchful:
            triggers = machine.triggers()  # type: ignore[attr-defined]  # asked of watchful machines only
            passes = None if triggers is None else triggers.isdisjoint
    leaving += _flushed(machine)
    return _Ran(leaving, len(events))


def _fed(machine: Machine, event: Event) -> Sequence[Event]:
    what = f"feed({written([event])[1:-1]})"
    return _ended_once(check_events(guarded(RAISES, lambda: machine.feed(event), what), what), what)


def _flushed(machine: Machine) -> Sequence[Event]:
    return _ended_once(check_events(guarded(RAISES, machine.flush, "flush()"), "flush()"), "flush()")


def _ended_once(events: Sequence[Event], what: str) -> Sequence[Event]:
    if any(isinstance(event, Finish) for event in events[:-1]):
        raise LawBroken(ENDS, f"{what} returned {written(events)}")
    return events


def _plain(event: Event) -> bool:
    return isinstance(event, Token) and event.channel == "text" and not (event.special or event.cont)


def _check_leaving(events: Sequence[Event], ran: _Ran) -> None:
    came = {event.id: event.channel for event in events if isinstance(event, Token) and event.id is not None}
    left = [event.id for event in ran.leaving if isinstance(event, Token) and event.id is not None]
    for channel in {None, *came.values()}:
        waiting = iter([id_ for id_ in came if came[id_] == channel])
        if not all(id_ in waiting for id_ in left if came.get(id_) == channel):
            raise LawBroken(IDS, _gives(events, ran))
    foreign = [id(event) for event in events[: ran.fed] if not isinstance(event, Token)]
    # Others are the machine's own, such as tool calls that it read in the text.
    if [id(event) for event in ran.leaving if id(event) in foreign] != foreign:
        raise LawBroken(FOREIGN, _gives(events, ran))


def _check_cuts(transform: Transform, events: Sequence[Event], ran: _Ran) -> None:
    for way, tokens in ways(events):
        other = _run(transform, tokens)
        if other.texts != ran.texts or other.finish != ran.finish:
            raise LawBroken(
                CUTS,
                f"fed as it came:  {_comes_to(events, ran)}",
                f"fed {way}:  {_comes_to(tokens, other)}",
                "hold back text that later text could still decide about, and return it from flush()",
            )


def _check_triggers(transform: Transform, events: Sequence[Event], ran: _Ran) -> None:
    spared = _run(transform, events, watchful=True)
    if spared.leaving != ran.leaving:
        raise LawBroken(WATCHES, f"fed everything:  {_gives(events, ran)}", f"spared:  {_gives(events, spared)}")


def _check_independence(transform: Transform, pair: tuple[list[Event], list[Event]]) -> None:
    """Feed two machines by turns, and compare with what each stream comes to alone."""
    first, second = pair
    alone = [_run(transform, first), _run(transform, second)]
    machines = [transform.start(), transform.start()]
    leaving: list[list[Event]] = [[], []]
    for step in range(max(len(first), len(second))):
        for which, events in enumerate((first, second)):
            if step < len(events) and not _ended(leaving[which]):
                leaving[which] += _fed(machines[which], events[step])
    for which, machine in enumerate(machines):
        if not _ended(leaving[which]):
            leaving[which] += _flushed(machine)
    for events, apart, together in zip((first, second), alone, leaving, strict=True):
        if together != apart.leaving:
            raise LawBroken(
                FRESH,
                f"alone:  {_gives(events, apart)}",
                f"by turns with another run:  it gives {written(together)}",
                f"the runs were fed {written(first)} and {written(second)}",
            )


def _ended(leaving: Sequence[Event]) -> bool:
    return bool(leaving) and isinstance(leaving[-1], Finish)


def _check_prepare(transform: Transform) -> None:
    prepare = getattr(transform, "prepare", None)
    if prepare is None:
        return
    for request in (Request(prompt="Hi", stop=("###",)), Request(messages=({"role": "user", "content": "Hi"},))):
        prepared = guarded("prepare() takes any request", partial(prepare, request), repr(request))
        if not isinstance(prepared, Request):
            raise LawBroken("prepare() returns a Request", f"of {request!r} it made {prepared!r}")


def _gives(events: Sequence[Event], ran: _Ran) -> str:
    return f"{written(events)} gives {written(ran.leaving)}"


def _comes_to(events: Sequence[Event], ran: _Ran) -> str:
    end = f", ended by {written([ran.finish])[1:-1]}" if ran.finish else ""
    return f"{written(events)} comes to {ran.texts}{end}"
