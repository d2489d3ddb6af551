"""What the faults are made of: frozen values with a place in the answer and what happens there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import cycle, islice
from typing import Literal, TypeAlias

import attrs

from streamkit.testing.emulator.acts import Act, Message, Start, Turn
from streamkit.testing.emulator.fault import Fault
from streamkit.testing.emulator.script import ScriptedToken, read_script
from streamkit.testing.emulator.seen import SeenRequest


def is_last(act: Act) -> bool:
    """Tell whether an act is the turn of an answer's last token."""
    return isinstance(act, Turn) and act.step.ending is not None


def is_after(act: Act, tokens: int | None) -> bool:
    """Tell whether an act is the turn of the token after so many; `None`: of the last one."""
    return is_last(act) if tokens is None else isinstance(act, Turn) and act.step.index > tokens


@attrs.frozen
class Instead(Fault):
    """Something else happens instead of any answer.

    Args:
        acts: What.
    """

    acts: tuple[Act, ...]

    def play(self, acts: Iterator[Act], seen: SeenRequest) -> Iterator[Act]:  # noqa: ARG002 - the shape of a fault
        """Return the acts."""
        return iter(self.acts)


@attrs.frozen
class Before(Fault):
    """Something happens before the answer, its headers included.

    Args:
        acts: What.
    """

    acts: tuple[Act, ...]

    def play(self, acts: Iterator[Act], seen: SeenRequest) -> Iterator[Act]:  # noqa: ARG002 - the shape of a fault
        """Return the acts, then the answer."""
        yield from self.acts
        yield from acts


@attrs.frozen
class Within(Fault):
    """Something happens inside a streamed answer; an answer that has fewer tokens stays whole.

    Args:
        after: Tokens sent before it; `None`: all but the last, which says that the answer is finished.
        acts: What happens.
        then: Whether that is the end, the answer goes on, or it happens over and over for ever.
        unframed: The body ends where the connection does.
    """

    after: int | None
    acts: tuple[Act, ...]
    then: Literal["end", "go on", "again"] = attrs.field(default="end", kw_only=True)
    unframed: bool = attrs.field(default=False, kw_only=True)

    def play(self, acts: Iterator[Act], seen: SeenRequest) -> Iterator[Act]:  # noqa: ARG002 - the shape of a fault
        """Return the answer with the acts in their place."""
        started = done = False
        for act in acts:
            if isinstance(act, Start):
                started = True
                yield attrs.evolve(act, unframed=self.unframed or act.unframed)
                continue
            if started and not done and is_after(act, self.after):
                done = True
                yield from cycle(self.acts) if self.then == "again" else self.acts
                if self.then == "end":
                    return
            yield act


Change: TypeAlias = Callable[[bytes, int], Iterable[Act]]
"""What is sent instead of bytes, the number of which in the answer is given, from 0."""


@attrs.frozen
class Rewritten(Fault):
    """The answer is said, or written down, in an unusual way.

    Args:
        change: What is sent instead of each of the bytes of a streamed answer.
        say_also: A token that the model says more.
        after: How many tokens come before that one.
    """

    change: Change | None = None
    say_also: str | None = None
    after: int = 1

    def say(self, tokens: Iterator[ScriptedToken], seen: SeenRequest) -> Iterator[ScriptedToken]:  # noqa: ARG002 - the shape of a fault
        """Return the tokens, with the further one."""
        if self.say_also is None:
            return tokens
        return self._say(tokens, self.say_also)

    def _say(self, tokens: Iterator[ScriptedToken], text: str) -> Iterator[ScriptedToken]:
        yield from islice(tokens, self.after)
        yield from read_script([text])
        yield from tokens

    def play(self, acts: Iterator[Act], seen: SeenRequest) -> Iterator[Act]:  # noqa: ARG002 - the shape of a fault
        """Return the acts, with other bytes."""
        return acts if self.change is None else self._play(acts, self.change)

    def _play(self, acts: Iterator[Act], change: Change) -> Iterator[Act]:
        number, streamed = 0, False
        for act in acts:
            if isinstance(act, Start):
                media = {name.lower(): value for name, value in act.headers.items()}.get("content-type", "")
                streamed = act.status == 200 and not media.startswith("application/json")
            if isinstance(act, bytes) and streamed:
                yield from change(act, number)
                number += 1
            elif isinstance(act, Message) and act.name is None and streamed:
                yield from change(b"data: %b\n\n" % act.data, number)
                number += 1
            else:
                yield act


@attrs.frozen
class Times(Fault):
    """A fault that happens to the first requests only.

    Args:
        fault: The fault.
        requests: How many.
    """

    fault: Fault
    requests: int

    def say(self, tokens: Iterator[ScriptedToken], seen: SeenRequest) -> Iterator[ScriptedToken]:
        """Return what the fault does to the tokens, or the tokens."""
        return self.fault.say(tokens, seen) if seen.number <= self.requests else tokens

    def play(self, acts: Iterator[Act], seen: SeenRequest) -> Iterator[Act]:
        """Return what the fault does to the acts, or the acts."""
        return self.fault.play(acts, seen) if seen.number <= self.requests else acts
