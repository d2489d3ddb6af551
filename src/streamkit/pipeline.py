"""Composition: a source, a chain of transforms, sinks and callbacks, as one immutable value."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

import attrs

from streamkit.drivers.asynchronous import AsyncStream
from streamkit.drivers.sync import Stream
from streamkit.errors import ConfigurationError, PluginError, StreamkitError
from streamkit.hookchecks import several
from streamkit.hookplan import HookPlan
from streamkit.host import Host
from streamkit.protocols import AsyncSink, AsyncSource, Composable, Sink, Source, Stage, Transform, every_source
from streamkit.request import Message, Request, parameters_of
from streamkit.result import RunResult
from streamkit.run import Run

if TYPE_CHECKING:
    from pathlib import Path


# Typed converters: a type checker cannot infer the items of a bare `tuple`.
def _transforms(given: Iterable[Transform]) -> tuple[Transform, ...]:
    return tuple(given)


def _sinks(given: Iterable[Sink | AsyncSink]) -> tuple[Sink | AsyncSink, ...]:
    return tuple(given)


@attrs.frozen
class Pipeline:
    """Where tokens come from, what is done to them, and where they go.

    A pipeline holds no state of a run: one value serves any number of runs at once, from any thread or task.
    `source | transform | transform | sink` builds the same thing.

    Args:
        source: A `Source`, an `AsyncSource`, or both in one object.
        transforms: The chain, in the order the text passes it.
        sinks: Where the clean events go besides the consumer.
        callbacks: A list of observers: objects with methods named like the lifecycle hooks. Or a mapping of hook names
            to functions.
        parameters: Generation parameters of every run; those given to a run win.
        host: Plugins whose lifecycle hooks observe every run, before the callbacks; see `Host.default()`.

    Raises:
        ConfigurationError: A part does not have the shape of its place.
        PluginError: A callback would not work.
    """

    source: Source | AsyncSource
    transforms: tuple[Transform, ...] = attrs.field(default=(), converter=_transforms, kw_only=True)
    sinks: tuple[Sink | AsyncSink, ...] = attrs.field(default=(), converter=_sinks, kw_only=True)
    callbacks: tuple[Any, ...] = attrs.field(default=(), converter=several, hash=False, kw_only=True)
    parameters: Mapping[str, Any] = attrs.field(factory=dict, converter=parameters_of, hash=False, kw_only=True)
    host: Host | None = attrs.field(default=None, repr=False, kw_only=True)
    _plan: HookPlan = attrs.field(init=False, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        for source in every_source(self.source):
            _require(source, "a source", "open", "aopen")
        for transform in self.transforms:
            _require(transform, "a transform", "start")
        for sink in self.sinks:
            _require(sink, "a sink", "open", "aopen")
        plan = self.host.plan() if self.host else HookPlan()
        if self.callbacks:
            plan += Host(self.callbacks, builtin=False).plan()
        object.__setattr__(self, "_plan", plan)

    @classmethod
    def from_config(
        cls,
        config: str | Path | Mapping[str, Any],
        *,
        host: Host | None = None,
        callbacks: Mapping[str, Any] | Iterable[Any] = (),
    ) -> Self:
        """Build a pipeline from the names and options of its parts; see `streamkit.config` for the shape.

        Args:
            config: The path of a TOML file, or the mapping that one would give.
            host: Where the names are registered, and whose plugins observe the runs; by default the built-in and
                installed plugins.
            callbacks: Observers, which a file cannot describe.

        Raises:
            ConfigurationError: A key, a name or an option is unknown, missing or of the wrong type.
        """
        from streamkit.config import assemble, read

        host = host or Host.default()
        where = "the configuration" if isinstance(config, Mapping) else str(config)
        parts = assemble(config if isinstance(config, Mapping) else read(config), host, where)
        return cls(
            parts.source,
            transforms=parts.transforms,
            sinks=parts.sinks,
            callbacks=callbacks,
            parameters=parts.parameters,
            host=host,
        )

    def __or__(self, stage: Stage | Iterable[Stage]) -> Self:
        """Add a transform, a sink, or several of them."""
        return self._with(stage)

    def _with(self, stage: Any) -> Self:
        if isinstance(stage, Composable):
            raise ConfigurationError(f"{stage!r} is a source, and a pipeline has one: it comes first")
        if hasattr(stage, "start"):
            if self.sinks:
                raise ConfigurationError(f"transform {stage!r} comes after a sink: put the transforms before the sinks")
            return self.evolve(transforms=(*self.transforms, stage))
        if isinstance(stage, Iterable) and not isinstance(stage, str) and not _has(stage, "open", "aopen"):
            pipeline = self
            for part in stage:
                pipeline = pipeline._with(part)
            return pipeline
        return self.evolve(sinks=(*self.sinks, stage))

    def evolve(self, **changes: Any) -> Self:
        """Return a variant of this pipeline.

        Args:
            changes: New values by field name: `source`, `transforms`, `sinks`, `callbacks`, `parameters`, `host`.
        """
        return attrs.evolve(self, **changes)

    def stream(self, question: str | Sequence[Message] | Request = "", /, **parameters: Any) -> Stream:
        """Ask, and iterate over the answer: `with pipeline.stream(prompt) as stream: for text in stream: ...`.

        Args:
            question: A prompt, or a list of messages; nothing for a source that has been asked already.
            parameters: Generation parameters by TGI's names: `max_new_tokens`, `temperature`, `top_k`, ...

        Returns:
            The stream; nothing is sent before it is iterated.

        Raises:
            ConfigurationError: The request cannot be put, or a part of the pipeline works only asynchronously.
            PluginError: A transform could not prepare the request or be started.
        """
        for source in every_source(self.source):
            if not hasattr(source, "open"):
                raise ConfigurationError(f"{source!r} works only asynchronously: use astream() or arun()")
        for sink in self.sinks:
            if not hasattr(sink, "open"):
                raise ConfigurationError(f"sink {sink!r} works only asynchronously: use astream() or arun()")
        for hook in self._plan.asynchronous():
            raise ConfigurationError(
                f"{hook} is a coroutine function and this is a synchronous run: use astream() or arun(), or make it "
                "a plain function"
            )
        return Stream(self._run(question, parameters), self.source, self.sinks, self._plan)  # type: ignore[arg-type]

    def astream(self, question: str | Sequence[Message] | Request = "", /, **parameters: Any) -> AsyncStream:
        """Ask, and iterate over the answer: the asynchronous twin of `stream`."""
        for source in every_source(self.source):
            if not hasattr(source, "aopen"):
                raise ConfigurationError(f"{source!r} works only synchronously: use stream() or run()")
        return AsyncStream(self._run(question, parameters), self.source, self.sinks, self._plan)  # type: ignore[arg-type]

    def run(self, question: str | Sequence[Message] | Request = "", /, **parameters: Any) -> RunResult:
        """Ask, and wait for the end; the sinks and callbacks see the answer as it comes.

        Args:
            question: A prompt, or a list of messages.
            parameters: Generation parameters by TGI's names.

        Returns:
            How it ended.

        Raises:
            StreamkitError: The run failed; the error's `.result` has the text so far.
        """
        with self.stream(question, **parameters) as stream:
            return stream.finish()

    async def arun(self, question: str | Sequence[Message] | Request = "", /, **parameters: Any) -> RunResult:
        """Ask, and wait for the end: the asynchronous twin of `run`."""
        async with self.astream(question, **parameters) as stream:
            return await stream.finish()

    def _run(self, question: str | Sequence[Message] | Request, parameters: Mapping[str, Any]) -> Run:
        asked = question.parameters if isinstance(question, Request) else {}
        request = Request.of(question, {**self.parameters, **asked, **parameters})
        for transform in reversed(self.transforms):
            prepare = getattr(transform, "prepare", None)
            if prepare is not None:
                request = _prepared(transform, prepare, request)
        return Run(request, self.transforms, self.source)


def _prepared(transform: Transform, prepare: Callable[[Request], Any], request: Request) -> Request:
    try:
        prepared = prepare(request)
    except StreamkitError:
        raise
    except Exception as error:
        message = f"transform {transform!r} could not prepare the request: {type(error).__name__}: {error}"
        raise PluginError(message) from error
    if not isinstance(prepared, Request):
        raise PluginError(f"prepare() of transform {transform!r} returned {prepared!r}, not a Request")
    return prepared


def _has(part: Any, *methods: str) -> bool:
    return any(callable(getattr(part, method, None)) for method in methods)


def _require(part: Any, what: str, *methods: str) -> None:
    if inspect.isclass(part):
        raise ConfigurationError(f"{part.__name__} is a class, not {what}: write {part.__name__}(...)")
    if not _has(part, *methods):
        raise ConfigurationError(f"{part!r} is not {what}: it has no method {' or '.join(methods)}()")


Composable._pipeline = Pipeline  # noqa: SLF001 - the one thread from the floor of sources up to this one
