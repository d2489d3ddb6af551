"""The application's own parts in a UI message stream."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from streamkit.formats._ui_message_encoder import UIMessageEncoder
from streamkit.web._answer import WRITER_LIMIT, Answer


class UIMessageWriter:
    """Adds parts of the application's own to a message, from any thread or task, while the answer streams.

    What is written is sent at once, also before the first token: the response begins then, with status 200. A hook such
    as `on_final` may write still; after the end nothing is sent.
    """

    def __init__(self, encoder: UIMessageEncoder, answer: Answer) -> None:
        self._encoder = encoder
        self._answer = answer

    def data(self, name: str, value: Any, *, id: str | None = None, transient: bool = False) -> None:  # noqa: A002 - the field's name
        """Send a data part, which the client gets as `data-<name>`.

        Args:
            name: Letters, digits, `-`, `_` and `.`.
            value: Anything that JSON has a form for.
            id: A later part with the same name and id replaces this one.
            transient: Whether the client only hears of the part, and does not keep it.

        Raises:
            ValueError: The name is not one.
            TypeError: The value has no form in JSON.
            SinkError: The client reads so slowly that a mebibyte is waiting for it.
        """
        self._answer.say(self._encoder.data(name, value, id=id, transient=transient), limit=WRITER_LIMIT)

    def metadata(self, metadata: Mapping[str, Any]) -> None:
        """Send metadata, which the client merges into those of the message.

        Raises:
            TypeError: The metadata have no form in JSON.
            SinkError: As for `data`.
        """
        self._answer.say(self._encoder.metadata(metadata), limit=WRITER_LIMIT)
