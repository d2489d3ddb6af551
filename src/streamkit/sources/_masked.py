"""A tap that never sees a secret, even where a server echoes it in its answer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from streamkit.request import Tap

MASK: Final = b"***"


class MaskedTap:
    """A tap between a source and the tap of a request.

    1. Holds back the end of a chunk while it may be the beginning of a secret.
    2. Releases it with the next chunk, or by `finish`, with a mask in the place of each secret.

    Args:
        tap: Who is shown the rest.
        secrets: What is masked.
    """

    __slots__ = ("_held", "_secrets", "_tap")

    def __init__(self, tap: Tap, secrets: Iterable[str]) -> None:
        self._tap = tap
        self._secrets = sorted((secret.encode() for secret in secrets), key=len, reverse=True)
        self._held = b""

    def start(self, answer_format: object) -> None:
        """The answer begins."""
        self._tap.start(answer_format)

    def chunk(self, data: bytes) -> None:
        """Bytes came."""
        data = self._held + data
        for secret in self._secrets:
            data = data.replace(secret, MASK)
        safe = len(data) - max((_begun(data, secret) for secret in self._secrets), default=0)
        self._held = data[safe:]
        if safe:
            self._tap.chunk(data[:safe])

    def finish(self) -> None:
        """The answer is over: what was held back is no secret."""
        if self._held:
            self._tap.chunk(self._held)
            self._held = b""


def _begun(data: bytes, secret: bytes) -> int:
    """Return how many bytes at the end of some data are the beginning of a secret."""
    return next((length for length in range(len(secret) - 1, 0, -1) if data.endswith(secret[:length])), 0)
