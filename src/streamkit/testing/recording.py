"""An observer that writes down every call, for tests of pipelines, hosts and drivers."""

from __future__ import annotations

import re
from typing import Any, Final, Generic, TypeVar

import attrs

from streamkit.events import Attempt, Token
from streamkit.host import Host
from streamkit.pipeline import Pipeline
from streamkit.request import Request
from streamkit.result import RunResult
from streamkit.run import Run

GRAMMAR: Final = "on_start on_retry* (on_token | on_text | on_completion)* (on_error | on_abort)? on_final"
"""The order in which the hooks of one run are called, whatever happens."""

_grammar = re.compile(re.sub(r"(on_\w+)", r"(\1,)", GRAMMAR).replace(" ", "")).fullmatch
Observed = TypeVar("Observed", Host, Pipeline)


@attrs.frozen
class HookCall:
    """One call of a hook.

    Args:
        name: The hook.
        value: Its second argument: the request, the token, the text, ...
        run: The run.
    """

    name: str
    value: Any
    run: Run = attrs.field(repr=False)


@attrs.define(eq=False)
class HookRecorder(Generic[Observed]):
    """Writes down the calls of every lifecycle hook; see `record_hooks`.

    Attributes:
        observed: The host, or the variant of the pipeline, whose runs are recorded.
        calls: The calls of all runs, in order.
    """

    observed: Observed = attrs.field(init=False, repr=False)
    calls: list[HookCall] = attrs.field(factory=list, init=False)

    @property
    def names(self) -> list[str]:
        """The hooks called, in order."""
        return [call.name for call in self.calls]

    def values(self, name: str) -> list[Any]:
        """Return what a hook was called with, call by call."""
        return [call.value for call in self.calls if call.name == name]

    def assert_grammar(self) -> None:
        """Hold every run that was recorded to the order of hooks; call it when the runs have ended.

        Raises:
            AssertionError: A hook was called out of its place, or nothing was recorded.
        """
        if not self.calls:
            raise AssertionError("no hook was called: did a run of the observed pipeline start?")
        for run in dict.fromkeys(call.run for call in self.calls):
            names = [call.name for call in self.calls if call.run is run]
            if not _grammar("".join(f"{name}," for name in names)):
                raise AssertionError(f"the hooks of a run are called as {GRAMMAR}, not as {' '.join(names)}")

    def on_start(self, run: Run, request: Request) -> None:
        """Record a call."""
        self.calls.append(HookCall("on_start", request, run))

    def on_retry(self, run: Run, attempt: Attempt) -> None:
        """Record a call."""
        self.calls.append(HookCall("on_retry", attempt, run))

    def on_token(self, run: Run, token: Token) -> None:
        """Record a call."""
        self.calls.append(HookCall("on_token", token, run))

    def on_text(self, run: Run, text: str) -> None:
        """Record a call."""
        self.calls.append(HookCall("on_text", text, run))

    def on_completion(self, run: Run, completion: RunResult) -> None:
        """Record a call."""
        self.calls.append(HookCall("on_completion", completion, run))

    def on_error(self, run: Run, error: Exception) -> None:
        """Record a call."""
        self.calls.append(HookCall("on_error", error, run))

    def on_abort(self, run: Run, reason: str) -> None:
        """Record a call."""
        self.calls.append(HookCall("on_abort", reason, run))

    def on_final(self, run: Run, result: RunResult) -> None:
        """Record a call."""
        self.calls.append(HookCall("on_final", result, run))


def record_hooks(observed: Observed) -> HookRecorder[Observed]:
    """Record the hook calls of a host's or a pipeline's runs.

    A host gets the recorder as a plugin; pipelines made with the host before do not notice. A pipeline is a value and
    stays as it is: run `recorder.observed`, its variant with the recorder behind its own callbacks.

        recorder = record_hooks(pipeline)
        recorder.observed.run("Hello")
        recorder.assert_grammar()

    Args:
        observed: A `Host` or a `Pipeline`.

    Returns:
        The recorder.
    """
    recorder: HookRecorder[Observed] = HookRecorder()
    if isinstance(observed, Host):
        observed.register(recorder)
        recorder.observed = observed
    else:
        recorder.observed = observed.evolve(callbacks=(*observed.callbacks, recorder))
    return recorder
