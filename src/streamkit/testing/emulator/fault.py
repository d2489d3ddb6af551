"""The shape of a fault: what it may change about an answer."""

from __future__ import annotations

from collections.abc import Iterator

from streamkit.testing.emulator.acts import Act
from streamkit.testing.emulator.script import ScriptedToken
from streamkit.testing.emulator.seen import SeenRequest


class Fault:
    """Something that goes wrong with an answer; this one does nothing, and faults override what they change.

    A fault holds no state: one value serves any number of endpoints and requests at once. `streamkit.testing.faults`
    has one for everything that happens to streams, and a fault of your own fits anywhere those do.
    """

    __slots__ = ()

    def say(self, tokens: Iterator[ScriptedToken], seen: SeenRequest) -> Iterator[ScriptedToken]:  # noqa: ARG002 - a hook
        """Return what the model says instead.

        Args:
            tokens: What it would say.
            seen: The request.
        """
        return tokens

    def play(self, acts: Iterator[Act], seen: SeenRequest) -> Iterator[Act]:  # noqa: ARG002 - a hook
        """Return what happens on the connection instead; nothing may follow an `End` or a `Cut`.

        Args:
            acts: What would happen.
            seen: The request.
        """
        return acts
