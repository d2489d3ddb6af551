"""How many answers may be generated at once, for one key and for all of them together."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from streamkit.web.gateway.refusals import BusyError
from streamkit.web.gateway.settings import Limits


class Slots:
    """Counts the answers being generated.

    There is no queue: a client that is told to come back in a second knows more than one that waits in the dark, and
    nothing grows here.

    Args:
        limits: How many there may be.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._taken: dict[str, int] = {}
        self._total = 0

    @contextmanager
    def taken(self, owner: str) -> Iterator[None]:
        """Hold a slot while the `with` block runs.

        Args:
            owner: The name of the key's owner.

        Raises:
            BusyError: There is none.
        """
        mine = self._taken.get(owner, 0)
        if mine >= self._limits.streams_per_key:
            raise BusyError(f"{mine} answers are being generated for this key, which is all that it may have at once.")
        if self._total >= self._limits.streams:
            raise BusyError("The gateway is busy: try again later.")
        self._taken[owner] = mine + 1
        self._total += 1
        try:
            yield
        finally:
            self._total -= 1
            self._taken[owner] -= 1
