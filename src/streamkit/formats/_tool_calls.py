"""Tool calls in OpenAI's pieces, told apart and stripped of repetitions."""

from __future__ import annotations

import json

from streamkit.events import ToolCallDelta
from streamkit.formats._openai_wire import Function, ToolCall


class ToolCalls:
    """The tool calls of one choice so far.

    Engines differ in what they repeat: TGI sends the id with every piece, SGLang sends nulls, Ollama sends a call
    whole. Here the id and the name go out once per call, with the first piece that has them. A piece without an
    index continues the last call, or starts a new one if it brings a name.
    """

    __slots__ = ("_identified", "_last", "_named")

    def __init__(self) -> None:
        self._identified: set[int] = set()
        self._named: set[int] = set()
        self._last = -1

    def read(self, piece: ToolCall) -> ToolCallDelta | None:
        """Return the event of a piece; `None` if the piece brings nothing new."""
        function = piece.function or Function()
        name, arguments = function.name, function.arguments or ""
        if not isinstance(arguments, str):
            arguments = json.dumps(arguments, ensure_ascii=False)
        index = self._index(piece.index, name)
        call_id = None if index in self._identified else piece.id or None
        name = None if index in self._named else name or None
        if call_id is not None:
            self._identified.add(index)
        if name is not None:
            self._named.add(index)
        if call_id is None and name is None and not arguments:
            return None
        return ToolCallDelta(index=index, id=call_id, name=name, arguments=arguments)

    def _index(self, index: int | None, name: str | None) -> int:
        if index is None:
            index = self._last + 1 if name or self._last < 0 else self._last
        self._last = index
        return index
