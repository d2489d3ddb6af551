"""The engine of one run: its chain of machines, what has been said so far, and how it ended.

`Run` does no I/O, awaits nothing and calls no hook; both drivers are thin loops around it. Its life:

1. `feed` takes the events of the source in order and returns what leaves the chain.
2. The first `Finish`, the source's or one that a machine returned, ends the run: later machines are flushed in chain
   order, `done` becomes true, and the last event that leaves is that `Finish`.
3. `end` does the same when the source simply has no more to give.
4. `complete`, `abort` or `fail` settles the outcome, once; `result` tells it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import cast

from streamkit.chain import Chain
from streamkit.errors import GenerationError, PluginError, StreamkitError
from streamkit.events import KINDS, Event, Finish, Token, ToolCallDelta
from streamkit.protocols import Batch, Transform
from streamkit.request import Request
from streamkit.result import Outcome, RunResult, Timings, ToolCall


class Run:
    """One execution of a pipeline; compared and hashed by identity, so an observer can key a weak mapping on it.

    Args:
        request: The question.
        transforms: The chain's recipes, in order.
        source: Where the events come from; only kept for observers to look at.
        clock: Seconds, monotonic.

    Raises:
        PluginError: A transform could not be started.
    """

    __slots__ = (
        "__weakref__",
        "_calls",
        "_chain",
        "_clock",
        "_finish",
        "_first_token",
        "_last",
        "_result",
        "_say",
        "_started",
        "_texts",
        "done",
        "request",
        "source",
        "tokens",
    )

    def __init__(
        self,
        request: Request,
        transforms: Iterable[Transform],
        source: object = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.request = request
        self.source = source
        self.done = False
        self.tokens = 0
        self._clock = clock
        self._started = clock()
        self._first_token: float | None = None
        self._chain = Chain(transforms)
        self._texts: dict[str, list[str]] = {"text": []}
        self._say = self._texts["text"].append
        self._calls: dict[int, ToolCall] = {}
        self._finish: Finish | None = None
        self._last: Event | None = None  # what came right before a foreseen finish
        self._result: RunResult | None = None

    def begin(self) -> None:
        """Start the clock: a run may be made long before it is asked for anything."""
        self._started = self._clock()

    def foresee(self, batch: Batch) -> None:
        """Look at a batch before its events are fed: an end that came along with the last token is known then.

        TGI reports usage in the very event whose token completes a stop sequence; it is kept although the stop ends
        the run first. What counts tokens that the run never took is not.
        """
        finish = batch[-1] if len(batch) > 1 else None
        if type(finish) is Finish:
            self._last, self._finish = batch[-2], finish

    def feed(self, event: Event) -> Sequence[Event]:
        """Take one event of the source.

        Args:
            event: The next event, in order.

        Returns:
            The events that leave the chain because of it; nothing once the run is done.

        Raises:
            PluginError: A transform broke its contract, or what came is no event.
        """
        passes = self._chain.passes
        if (
            passes is not None
            and type(event) is Token
            and passes(event.text)
            and event.channel == "text"
            and not (event.special or event.cont)
            and self.tokens
        ):
            self.tokens += 1
            self._say(event.text)
            return (event,)
        return self._feed(event)

    def end(self) -> Sequence[Event]:
        """The source has no more events and sent no `Finish`: flush the chain.

        Returns:
            What was held back, then a `Finish` without a reason.
        """
        return () if self.done else self._end(self._chain.drain(Finish()))

    def complete(self) -> RunResult:
        """Settle the run as completed."""
        return self._settle("completed")

    def abort(self) -> RunResult:
        """Settle the run as left by its consumer; text held back is not shown, but in `held` of the result."""
        return self._settle("aborted")

    def fail(self, error: Exception) -> RunResult:
        """Settle the run as failed, or turn a completed one into a failed one (a sink could not be closed).

        Args:
            error: What happened; a `StreamkitError` gets the partial result as its `.result`.
        """
        result = self._settle("failed", error)
        if isinstance(error, StreamkitError):
            error.result = result
        return result

    @property
    def text(self) -> str:
        """The clean text so far."""
        return "".join(self._texts["text"])

    @property
    def result(self) -> RunResult | None:
        """How the run ended; `None` while it has not."""
        return self._result

    def _feed(self, event: Event) -> Sequence[Event]:
        """Take an event that the machines must see, or that is the first, or the last."""
        if self.done:
            return ()
        if type(event) is Finish:
            self._finish = event
            return self._end(self._chain.drain(event))
        if type(event) is Token:
            if not event.cont:
                if not self.tokens:
                    self._first_token = self._clock()
                self.tokens += 1
        elif not isinstance(event, KINDS):
            raise PluginError(
                f"source {self.source!r} gave {type(event).__name__} among its events: "
                "its batches must be tuples or lists of events"
            )
        events = self._chain.feed(event)
        if events and type(events[-1]) is Finish:
            if event is not self._last:
                self._finish = None
            return self._end(events)
        self._keep(events)
        return events

    def _end(self, events: Sequence[Event]) -> Sequence[Event]:
        """Note the `Finish` at the end of these last events, completed by what the source's own one tells."""
        rest, finish = events[:-1], cast("Finish", events[-1])
        known = self._finish or finish
        # The engine's own text has not passed the chain: what a transform hid or masked would come out with it.
        finish = Finish(
            reason=finish.reason,
            stop=finish.stop,
            usage=known.usage,
            raw_reason=known.raw_reason,
            reconciled=known.reconciled,
        )
        self.done = True
        self._finish = finish
        self._keep(rest)
        return [*rest, finish]

    def _keep(self, events: Sequence[Event]) -> None:
        for event in events:
            if type(event) is Token:
                if event.text:
                    channel = self._texts.get(event.channel)
                    if channel is None:
                        channel = self._texts[event.channel] = []
                    channel.append(event.text)
            elif type(event) is ToolCallDelta:
                call = self._calls.get(event.index) or ToolCall(id=None, name=None, arguments="")
                self._calls[event.index] = ToolCall(
                    id=call.id or event.id,
                    name=call.name or event.name,
                    arguments=call.arguments + event.arguments,
                )

    def _settle(self, outcome: Outcome, error: Exception | None = None) -> RunResult:
        finish = self._finish if self.done and self._finish is not None else Finish()
        first = self._first_token
        self._result = RunResult(
            text=self.text,
            outcome=outcome,
            finish_reason="error" if isinstance(error, GenerationError) else finish.reason,
            stop=finish.stop,
            usage=finish.usage,
            timings=Timings(
                first_token=None if first is None else first - self._started, total=self._clock() - self._started
            ),
            error=error,
            tokens=self.tokens,
            reasoning="".join(self._texts.get("reasoning", ())),
            tool_calls=tuple(self._calls[index] for index in sorted(self._calls)),
            raw_reason=finish.raw_reason,
            reconciled=finish.reconciled,
            held=self._chain.held() if self.tokens and not self.done else "",
        )
        return self._result
