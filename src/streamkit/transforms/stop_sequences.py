"""Cut the answer at stop sequences, wherever the engine's tokens begin and end."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

import attrs

from streamkit.errors import ConfigurationError
from streamkit.protocols import Machine
from streamkit.request import Request
from streamkit.transforms._channels import ByChannel
from streamkit.transforms._cut import Cut
from streamkit.transforms._matcher import matcher, words_of

MAX_HINTS = 4
"""Stop sequences a server takes: TGI's default `max_stop_sequences`, and the limit of OpenAI's API."""


@attrs.frozen(init=False)
class StopSequences:
    r"""Ends the answer at the first stop sequence; no part of it is ever shown.

    The stop sequence that is complete first wins; of two that are complete at the same character, the longer one.
    The order in which they are given means nothing. Characters are compared as they are: no case folding and no
    Unicode normalisation.

    1. Holds back exactly the text that can still grow into a stop sequence; with `include_stop`, nothing.
    2. Releases it as soon as it cannot, or at the end of the stream.
    3. Stops with `Finish(reason="stop_sequence", stop=...)`. A hidden special token stops too when its whole text is
       a stop sequence; other hidden tokens are read over. They wait with the text before them; of more than 1,024,
       the further ones do not leave at all.
    4. Costs constant time for each character, however many stop sequences there are.

    Before a run, the stop sequences become hints for the server, so that it stops generating as well: at most four,
    and none with `include_stop`, since OpenAI-shaped servers withhold the text they stop at.

    Args:
        stops: Stop sequences, as several arguments or as iterables: `StopSequences("\nUser:", "###")`.
        include_stop: Whether the stop sequence itself is shown.
        scope: `"text"`: only the answer is read, not the reasoning; `"all"`: each channel is, by itself.

    Raises:
        ConfigurationError: A stop sequence is empty or not a string, or they are longer than 100,000 characters in
            all.
    """

    stops: tuple[str, ...]
    include_stop: bool
    scope: Literal["text", "all"]

    def __init__(
        self, *stops: str | Iterable[str], include_stop: bool = False, scope: Literal["text", "all"] = "text"
    ) -> None:
        if scope not in {"text", "all"}:
            raise ConfigurationError(f'the scope of stop sequences is "text" or "all", not {scope!r}')
        words = words_of(stops, "a stop sequence")
        self.__attrs_init__(words, include_stop, scope)  # pyright: ignore[reportAttributeAccessIssue]  # attrs makes it

    def start(self) -> Machine:
        """Return the machine of a new run."""
        return self._cut("text") if self.scope == "text" else ByChannel(self._cut)

    def prepare(self, request: Request) -> Request:
        """Add the stop sequences to the server's hints, where there is room."""
        if self.include_stop:
            return request
        known = request.stop
        room = max(0, MAX_HINTS - len(known))
        new = [stop for stop in matcher(self.stops).live if stop not in known][:room]
        hints: Any = (*known, *new)  # Any: type checkers cannot see through attrs' generic converter `tuple`
        return attrs.evolve(request, stop=hints) if new else request

    def _cut(self, channel: str) -> Cut:
        return Cut(
            matcher(self.stops),
            channel,
            reason="stop_sequence",
            include=self.include_stop,
            specials_are_text=True,
        )
