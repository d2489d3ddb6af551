"""An answer in one piece, by the same way as one that is streamed: as an encoder that says everything at its end."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, TypeAlias

import msgspec

from streamkit.events import Event, Token
from streamkit.formats._encoding import fault_of
from streamkit.protocols import Encoder
from streamkit.result import RunResult
from streamkit.web.gateway.refusals import told

Document: TypeAlias = Callable[[RunResult, Sequence[Token]], Any]


class WholeEncoder:
    """The state of writing one JSON document.

    1. Holds back the tokens until the end.
    2. Releases the document of a complete answer.
    3. Ends with nothing after any other, which is then an error with a status of its own: no byte has been sent.
    4. Costs one append per token.

    Args:
        document: Makes the document from the result and the tokens that left the chain.
        errors: An encoder of the same protocol, for its refusals.
    """

    __slots__ = ("_document", "_errors", "_tokens")

    headers: ClassVar[Mapping[str, str]] = {"content-type": "application/json"}
    keep_alive: ClassVar[bytes] = b""

    def __init__(self, document: Document, errors: Encoder) -> None:
        self._document = document
        self._errors = errors
        self._tokens: list[Token] = []

    def begin(self) -> bytes:
        """Return nothing."""
        return b""

    def feed(self, event: Event) -> bytes:
        """Keep a token."""
        if type(event) is Token:
            self._tokens.append(event)
        return b""

    def close(self, result: RunResult) -> bytes | None:
        """Return the document, or `None` if the answer is not complete."""
        if fault_of(result, told) is not None:
            return None
        return msgspec.json.encode(self._document(result, self._tokens))

    def refuse(self, error: Exception) -> tuple[str, bytes]:
        """Return the protocol's body of an error."""
        return self._errors.refuse(error)
