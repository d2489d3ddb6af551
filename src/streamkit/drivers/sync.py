"""The synchronous driver: the only loop over a `Source`. Its twin is `asynchronous.py`."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from types import TracebackType
from typing import Any, Self

from streamkit.drivers._observers import logger, note_failure, telling
from streamkit.drivers._outlets import Outlet, delivery
from streamkit.drivers._picks import pick_text, pick_token
from streamkit.drivers._shapes import fit, misfit
from streamkit.errors import ConfigurationError, SinkError
from streamkit.events import Attempt, Event, Token
from streamkit.hookplan import Hook, HookPlan
from streamkit.protocols import Sink, Source
from streamkit.result import RunResult
from streamkit.run import Run


class Stream:
    """One run of a pipeline, to be iterated once inside a `with` block.

    Iterating gives the pieces of clean text. The request is sent at the first step, not before; when the block is
    left, for whatever reason, the source is closed. A second loop goes on where the first one stopped, and after the
    end there is nothing more to come; `result` tells how it ended.

    Args:
        run: The engine.
        source: Where the events come from.
        sinks: Where they go besides the consumer.
        plan: The lifecycle hooks.
    """

    def __init__(self, run: Run, source: Source, sinks: Sequence[Sink], plan: HookPlan) -> None:
        self._run = run
        self._source = source
        self._sinks = sinks
        self._plan = plan
        self._outlets: list[Outlet] = []
        self._reason = "the consumer left the stream"
        self._silent = False  # nobody wants the events but the sinks and the hooks
        self._left = False  # closed while it was being read elsewhere
        self._interrupt: BaseException | None = None  # came while the run was settled: raised once it is
        self._steps = self._drive()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is not None:
            self._reason = f"the consumer raised {type(error).__name__}"
        self.close()

    def close(self) -> None:
        """Leave the stream: close the source and settle the run. After the end it does nothing.

        Any thread or task may close a stream. One that is being read elsewhere at that moment ends there: its reader
        is woken, and its loop is over as if the answer were.
        """
        if self._steps.gi_running:  # type: ignore[attr-defined]  # of the generator that it is
            self._left = True
            self._run.request.hangup.pull()
            return
        self._steps.close()
        if self._run.result is None:  # it was never iterated: nothing was sent, and no hook was called
            self._run.abort()

    def events(self) -> Iterator[Event]:
        """Iterate over everything that leaves the chain, the `Finish` last.

        Returns:
            The one iterator of this stream.

        Raises:
            StreamkitError: The run failed; the error's `.result` has the text so far.
            ConfigurationError: The stream is being read elsewhere.
        """
        return self._unread()

    def tokens(self) -> Iterator[Token]:
        """Iterate over the tokens that leave the chain, those with hidden text and those of other channels too."""
        return filter(None, map(pick_token, self._unread()))

    def __iter__(self) -> Iterator[str]:
        """Iterate over the non-empty pieces of the answer's text."""
        return filter(None, map(pick_text, self._unread()))

    def finish(self) -> RunResult:
        """Read what is left for the sinks and the hooks alone, which is quicker than to iterate over it.

        Returns:
            How the run ended.

        Raises:
            StreamkitError: The run failed; the error's `.result` has the text so far.
            ConfigurationError: The stream is being read elsewhere.
        """
        steps = self._unread()
        self._silent = True
        for _ in steps:
            pass
        return self.result

    @property
    def result(self) -> RunResult:
        """How the run ended.

        Raises:
            ConfigurationError: It has not ended yet.
        """
        if self._run.result is None:
            raise ConfigurationError("the stream has not ended: read its result after the loop or the `with` block")
        return self._run.result

    def _unread(self) -> Generator[Event, None, None]:
        """Return the one iterator. It is looked at here and not at each step, which would cost as much as the step."""
        if self._steps.gi_running:  # type: ignore[attr-defined]  # of the generator that it is
            raise ConfigurationError("the stream is being read elsewhere, and has one reader: open a stream for each")
        return self._steps

    def _drive(self) -> Generator[Event, None, None]:  # noqa: C901, PLR0912 - the loop is the file's one idea; cut up, its order is lost
        run, plan = self._run, self._plan
        feed, seen = run.feed, {Token: plan.on_token, Attempt: plan.on_retry}
        tells = {kind: telling(hooks, run) for kind, hooks in seen.items() if hooks}
        watched = bool(tells)
        events: Sequence[Event] = ()
        delivered = False
        run.begin()
        try:
            self._fire(plan.on_start, run.request)
            for sink in self._sinks:
                self._outlets.append(Outlet(sink, run.request, awaits=False))
            deliver = delivery(self._outlets, plan.on_text, run)
            with fit(self._source, self._source.open(run.request), "__enter__") as batches:
                for batch in fit(self._source, batches, "__iter__"):
                    if self._left:
                        raise GeneratorExit  # noqa: TRY301 - what a generator gets that is closed while it waits
                    try:
                        if len(batch) > 1:
                            run.foresee(batch)
                    except (TypeError, LookupError) as error:  # it has no length, or no last event
                        raise misfit(self._source, batch, "__len__") from error
                    for event in batch:
                        if watched and type(event) in tells:
                            tells[type(event)](event)
                        events = feed(event)
                        if run.done:
                            break
                        if events:
                            deliver(events)
                            if self._silent:
                                continue
                            for out in events:
                                yield out
                    else:
                        continue
                    break
            # The source is closed before the last text is handed out: a slow consumer costs no tokens.
            if not run.done:
                if self._left:
                    raise GeneratorExit  # noqa: TRY301 - a source that was woken may just end
                events = run.end()
            deliver(events)
            delivered = True
            for out in events:
                yield out
        except BaseException as error:
            if not isinstance(error, GeneratorExit):
                self._reason = f"interrupted by {type(error).__name__}"
            if self._left:
                self._settle(GeneratorExit(), delivered=delivered)
                return
            self._settle(error, delivered=delivered)
            raise
        self._settle(None, delivered=True)

    def _settle(self, error: BaseException | None, *, delivered: bool) -> None:
        """Give the run its one end; observers of the end hear of it after the sinks are closed.

        An interruption meanwhile (Ctrl-C, a cancelled scope) waits until every sink is closed and `on_final` called.
        """
        run, plan = self._run, self._plan
        if isinstance(error, Exception):
            result = run.fail(error)
        elif delivered:
            result = self._complete()
        else:
            result = run.abort()
        result = self._close_sinks(result)
        failure = result.error
        if failure is not None:
            self._observe(plan.on_error, failure, failure)
        elif result.outcome == "aborted":
            self._observe(plan.on_abort, self._reason, error)
        self._observe(plan.on_final, result, failure or error)
        if self._interrupt is not None:
            raise self._interrupt
        if failure is not None and failure is not error:
            raise failure

    def _complete(self) -> RunResult:
        result = self._run.complete()
        try:
            self._fire(self._plan.on_completion, result)
        except Exception as error:  # noqa: BLE001 - an observer may raise anything
            return self._run.fail(error)
        except BaseException as error:  # noqa: BLE001 - raised again by `_settle`
            self._interrupt = error
        return result

    def _close_sinks(self, result: RunResult) -> RunResult:
        """Close every sink; the first that cannot be closed fails a run that was complete until then."""
        for outlet in self._outlets:
            try:
                outlet.close(result)
            except SinkError as error:
                if result.outcome == "completed":
                    result = self._run.fail(error)
                else:
                    logger.warning("the run was %s, and %s", result.outcome, error)
            except BaseException as error:  # noqa: BLE001 - raised again by `_settle`
                self._interrupt = error
        return result

    def _fire(self, hooks: Sequence[Hook], value: Any) -> None:
        """Call every hook, and only then raise what the first of them raised."""
        telling(hooks, self._run)(value)

    def _observe(self, hooks: Sequence[Hook], value: Any, cause: BaseException | None) -> None:
        """Call every hook; what one raises is logged, and noted on the cause, which it never replaces."""
        for hook in hooks:
            try:
                self._fire((hook,), value)
            except Exception as error:  # noqa: BLE001 - an observer may raise anything
                note_failure(hook, error, cause)
            except BaseException as error:  # noqa: BLE001 - raised again by `_settle`
                self._interrupt = error
