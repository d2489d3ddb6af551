"""Feed transforms in tests: as an engine would, and in every way an engine could have cut the text.

How an engine cuts its answer into tokens must never change what a transform shows. `feed_every_way` proves it for the
events of a test, and is the one helper that the tests of every transform should use.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from itertools import pairwise

import attrs

from streamkit.events import Event, Token
from streamkit.protocols import Transform
from streamkit.request import Request
from streamkit.run import Run

_RANDOM_WAYS = 5
_BEGINNINGS = 64


def run_chain(transforms: Iterable[Transform], events: Iterable[Event]) -> list[Event]:
    """Feed events through a chain of transforms as one run does.

    Args:
        transforms: The chain, first transform first.
        events: What the source yields; without a `Finish`, the chain is flushed at the end all the same.

    Returns:
        The events that leave the chain, the last one a `Finish`.
    """
    run = Run(Request(prompt=""), transforms)
    leaving = [left for event in events for left in run.feed(event)]
    return [*leaving, *run.end()]


def visible(events: Iterable[Event], channel: str = "text") -> str:
    """Join the text of the tokens of one channel."""
    return "".join(event.text for event in events if isinstance(event, Token) and event.channel == channel)


def feed_every_way(transform: Transform, events: Sequence[Event]) -> list[Event]:
    """Feed the same characters to a transform in differently cut tokens, and check that it makes no difference.

    The events are fed as they are, with the text of neighbouring tokens joined, one character at a time, and in
    random cuts that are the same in each test run. Special tokens are never cut or joined. So is each beginning of
    the events, the shortest first, so that a failure shows the smallest; of many events, 64 beginnings.

    Args:
        transform: The transform.
        events: What the source yields, in any tokens.

    Returns:
        The events that leave when it is fed the events as they are.

    Raises:
        AssertionError: A law is broken: the text of a channel, the reason of the finish or its stop sequence depends
            on the cut; or an id leaves twice, in another order, or from nowhere.
        PluginError: The transform raised, or returned something else than events with a `Finish` last.
    """
    for size in reversed(range(len(events), 0, -max(1, len(events) // _BEGINNINGS))):
        beginning = events[:size]
        expected = _outcome(transform, beginning)
        for way, tokens in ways(beginning):
            outcome = _outcome(transform, tokens)
            for law, want, got in zip(_LAWS, expected, outcome, strict=True):
                if want != got:
                    raise AssertionError(
                        f"{law} depends on how the text is cut: {transform!r} gives {want!r} for {beginning!r} "
                        f"as it is, but {got!r} {way}: {tokens!r}"
                    )
    return run_chain([transform], events)


_LAWS = ("the text of a channel", "the reason of the finish", "the stop sequence")


def _outcome(transform: Transform, events: Sequence[Event]) -> tuple[dict[str, str], str | None, str | None]:
    """Run a transform and return what must not depend on the cut, after checking the laws of a single run."""
    *leaving, finish = run_chain([transform], events)
    waiting = iter([event.id for event in events if isinstance(event, Token) and event.id is not None])
    ids = [event.id for event in leaving if isinstance(event, Token) and event.id is not None]
    if not all(id_ in waiting for id_ in ids):
        raise AssertionError(f"ids must leave once and in order: {transform!r} gives {ids} for {list(events)!r}")
    channels = {event.channel for event in leaving if isinstance(event, Token) and event.text}
    texts = {channel: visible(leaving, channel) for channel in sorted(channels)}
    return texts, getattr(finish, "reason", None), getattr(finish, "stop", None)


def ways(events: Sequence[Event]) -> Iterable[tuple[str, list[Event]]]:
    """Yield the same characters in differently cut tokens, each with a word for how; see `feed_every_way`."""
    yield "when joined", _joined(events)
    yield "one character at a time", _cut(events, range(1, 1 + max(map(_length, events), default=0)))
    for seed in range(_RANDOM_WAYS):
        generator = random.Random(seed)  # noqa: S311 (repeatable, not secret)
        cuts = [place for place in range(1, max(map(_length, events), default=0)) if generator.random() < 0.5]
        yield f"in random cuts (seed {seed})", _cut(events, cuts)


def _length(event: Event) -> int:
    return len(event.text) if isinstance(event, Token) and not event.special else 0


def _joined(events: Sequence[Event]) -> list[Event]:
    joined: list[Event] = []
    for event in events:
        last = joined[-1] if joined else None
        if (
            isinstance(event, Token)
            and isinstance(last, Token)
            and not (event.special or last.special)
            and event.channel == last.channel
        ):
            joined[-1] = Token(last.text + event.text, channel=event.channel)
        else:
            joined.append(event)
    return joined


def _cut(events: Sequence[Event], places: Iterable[int]) -> list[Event]:
    """Cut the text of each plain token at the places, counted in characters."""
    places = list(places)
    pieces: list[Event] = []
    for event in events:
        if not isinstance(event, Token) or event.special or not event.text:
            pieces.append(event)
            continue
        bounds = [0, *(place for place in places if place < len(event.text)), len(event.text)]
        for start, stop in pairwise(bounds):
            text = event.text[start:stop]
            pieces.append(attrs.evolve(event, text=text) if start == 0 else Token(text, channel=event.channel))
    return pieces
