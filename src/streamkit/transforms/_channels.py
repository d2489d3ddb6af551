"""One machine for each channel, so that the text of two channels is never read as one."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from streamkit.events import Event, Finish, Token
from streamkit.protocols import WatchfulMachine


class ByChannel:
    """Gives each channel a machine of its own.

    1. Tokens go to their channel's machine; other events pass at once.
    2. Text held on one channel does not delay another channel.
    3. When one machine ends the stream, what the others hold leaves before the `Finish`.
    4. Costs one look-up for each token, and a machine for each channel seen.
    """

    __slots__ = ("_ended", "_machines", "_start")

    def __init__(self, start: Callable[[str], WatchfulMachine]) -> None:
        self._start = start
        self._machines: dict[str, WatchfulMachine] = {}
        self._ended = False

    def feed(self, event: Event) -> Sequence[Event]:
        """Pass a token to the machine of its channel."""
        if self._ended:
            return ()
        if not isinstance(event, Token):
            return (event,)
        machine = self._machines.get(event.channel)
        if machine is None:
            machine = self._machines[event.channel] = self._start(event.channel)
        leaving = machine.feed(event)
        if leaving and isinstance(leaving[-1], Finish):
            del self._machines[event.channel]
            return [*leaving[:-1], *self.flush(), leaving[-1]]
        return leaving

    def triggers(self) -> frozenset[str] | None:
        """Return the characters that matter now; see `WatchfulMachine`."""
        machine = None if self._ended else self._machines.get("text")
        return None if machine is None else machine.triggers()

    def flush(self) -> Sequence[Event]:
        """Release what the machines hold, in the order in which the channels appeared."""
        if self._ended:
            return ()
        self._ended = True
        return [event for machine in self._machines.values() for event in machine.flush()]
