"""What the page is sent: server-sent events, each a JSON object with a `type`.

    {"type":"step","texts":{"text":"Hel"},"transforms":["RepairText","ScrubEos"],
     "tokens":[{"n":0,"text":"Hel","at":0.12,"fate":"passed","steps":["Hel","Hel"],"left":0.12}]}
    {"type":"finish","outcome":"completed","reason":"eos_token","seconds":1.5,"first_token":0.12,"tokens":9}

`tokens` has the tokens of the model of which something has changed, by their number `n`; `texts` is what left the
chain, by channel; the step with the first token names the transforms. This is the page's own protocol and changes with
it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from streamkit.events import Attempt, Event, Token, ToolCallDelta
from streamkit.formats._encoding import error_kind, fault_of, json_of
from streamkit.protocols import Mask
from streamkit.web.playground.reports import CHANNEL

if TYPE_CHECKING:
    from streamkit.result import RunResult


class PlaygroundEncoder:
    """The state of writing one response.

    1. Holds text back until the report that comes right behind it.
    2. Releases a `step` for each report, and a `retry` for each try that failed.
    3. Ends by `finish`, however the run ended.
    4. Costs one concatenation per token beside the report.

    Args:
        mask: What to tell of an error.
    """

    headers: ClassVar[Mapping[str, str]] = {"content-type": "text/event-stream"}
    keep_alive: ClassVar[bytes] = b":\n\n"

    def __init__(self, mask: Mask) -> None:
        self._mask = mask
        self._texts: dict[str, str] = {}

    def begin(self) -> bytes:
        """Return nothing."""
        return b""

    def feed(self, event: Event) -> bytes:
        """Return what to send of an event."""
        if type(event) is Token:
            if event.channel == CHANNEL:
                return self._step(event.text)
            self._add(event.channel, event.text)
        elif type(event) is ToolCallDelta:
            self._add("tool_call", (event.name or "") + event.arguments)
        elif type(event) is Attempt:
            return _event({"type": "retry", "number": event.number, "wait": event.wait})
        return b""

    def close(self, result: RunResult) -> bytes:
        """Return how the run ended, and how long it took."""
        said: dict[str, Any] = {
            "type": "finish",
            "outcome": result.outcome,
            "reason": result.finish_reason,
            "stop": result.stop,
            "seconds": round(result.timings.total, 4),
            "first_token": result.timings.first_token,
            "tokens": result.tokens,
        }
        fault = fault_of(result, self._mask)
        if fault is not None:
            said["error"] = fault.message
        last = self._step('"tokens":[]') if self._texts else b""
        return last + _event({name: value for name, value in said.items() if value is not None})

    def refuse(self, error: Exception) -> tuple[str, bytes]:
        """Return the message of an error as JSON."""
        return "application/json", json_of({"error": self._mask(error), "error_type": error_kind(error)})

    def _add(self, channel: str, text: str) -> None:
        if text:
            self._texts[channel] = self._texts.get(channel, "") + text

    def _step(self, report: str) -> bytes:
        texts, self._texts = self._texts, {}
        return b'data: {"type":"step","texts":%b,%b}\n\n' % (json_of(texts), report.encode())


def _event(value: dict[str, Any]) -> bytes:
    return b"data: " + json_of(value) + b"\n\n"
