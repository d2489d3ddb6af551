"""What is asked of a model: a prompt or a conversation, with generation parameters in one vocabulary."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol, TypeAlias

import attrs

from streamkit.errors import ConfigurationError

Message: TypeAlias = Mapping[str, Any]
"""One turn of a conversation in OpenAI's shape: `{"role": "user", "content": "..."}`."""


class Hangup:
    """How a source that waits is woken when its stream is closed from another thread or task.

    A source attaches what ends its wait, such as shutting its socket down; one that never waits needs nothing.
    """

    __slots__ = ("__weakref__", "_wake", "pulled")

    def __init__(self) -> None:
        self._wake: Callable[[], object] | None = None
        self.pulled = False

    def attach(self, wake: Callable[[], object]) -> None:
        """Set what ends the wait of now, in place of what did before.

        Args:
            wake: Called once or twice, at most after the stream was closed, from whichever thread or task closed it.
        """
        self._wake = wake
        if self.pulled:
            wake()

    def pull(self) -> None:
        """Wake the source."""
        self.pulled = True
        if self._wake is not None:
            self._wake()


class Tap(Protocol):
    """What a source shows the bytes of its answer to, as they come."""

    def start(self, answer_format: object) -> None:
        """The answer begins.

        Args:
            answer_format: The `Format` of the bytes.
        """
        ...

    def chunk(self, data: bytes) -> None:
        """Bytes came."""
        ...


def _messages(messages: Iterable[Message] | None) -> tuple[Message, ...] | None:
    return None if messages is None else tuple(messages)


def _stops(stop: Iterable[str]) -> tuple[str, ...]:
    return (stop,) if isinstance(stop, str) else tuple(stop)


def parameters_of(given: Mapping[str, Any]) -> Mapping[str, Any]:
    """Copy parameters, so that a value made of them does not change with the caller's own mapping.

    Raises:
        ConfigurationError: They are no mapping.
    """
    if not isinstance(given, Mapping):
        raise ConfigurationError(
            f'parameters are a mapping of names to values like {{"temperature": 0.7}}, not {given!r}'
        )
    return dict(given)


def _is_sayable(value: object) -> bool:
    """Tell whether JSON has all the numbers in a value."""
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, Mapping):
        return all(map(_is_sayable, value.values()))
    return not isinstance(value, list | tuple) or all(map(_is_sayable, value))


@attrs.frozen(kw_only=True)
class Request:
    """One question to a model; exactly one of `prompt` and `messages` is set.

    Args:
        prompt: Text to continue.
        messages: A conversation to answer.
        parameters: Generation parameters by TGI's names (`max_new_tokens`, `temperature`, ...); each source
            translates them into its engine's dialect.
        stop: Stop sequences to hint to the server; the pipeline's own cut is the guarantee.
        hangup: Wakes a source that waits; a new one for each run.
        tap: Sees the bytes of the answer.

    Raises:
        ConfigurationError: There is no question or there are two, the messages are not messages, `stop` is among the
            parameters, or one of them is infinite or no number.
    """

    prompt: str | None = None
    messages: tuple[Message, ...] | None = attrs.field(default=None, converter=_messages)
    parameters: Mapping[str, Any] = attrs.field(factory=dict, converter=parameters_of)
    stop: tuple[str, ...] = attrs.field(default=(), converter=_stops)
    hangup: Hangup = attrs.field(factory=Hangup, eq=False, repr=False)
    tap: Tap | None = attrs.field(default=None, eq=False, repr=False)

    def __attrs_post_init__(self) -> None:
        if (self.prompt is None) == (self.messages is None):
            raise ConfigurationError("a request is either a prompt (a string) or a list of messages, not both")
        if self.messages is not None and not (
            self.messages and all(isinstance(message, Mapping) and "role" in message for message in self.messages)
        ):
            raise ConfigurationError(
                'messages are a non-empty list of mappings like {"role": "user", "content": "Hello"}'
            )
        if "stop" in self.parameters:
            raise ConfigurationError(
                "stop sequences belong to the chain, which guarantees the cut: add StopSequences(...) to the pipeline"
            )
        for name, value in self.parameters.items():
            if not _is_sayable(value):
                raise ConfigurationError(f"parameter {name} is {value!r}, and JSON has finite numbers only: give one")

    @classmethod
    def of(cls, question: str | Sequence[Message] | Request, parameters: Mapping[str, Any]) -> Request:
        """Build a request from what a user passes to a pipeline.

        Args:
            question: A prompt, a list of messages, or a finished `Request`.
            parameters: Generation parameters; added to those of a finished request.

        Returns:
            The request.

        Raises:
            ConfigurationError: The question is neither text nor a list of messages, or `stop` is among the
                parameters.
        """
        if isinstance(question, Request):
            return attrs.evolve(question, parameters={**question.parameters, **parameters}, hangup=Hangup())
        if isinstance(question, str):
            return cls(prompt=question, parameters=parameters)
        if not isinstance(question, Iterable):
            raise ConfigurationError(
                f"cannot ask a model {type(question).__name__!r}: pass a prompt string or a list of messages "
                'like {"role": "user", "content": "Hello"}'
            )
        return cls(messages=question, parameters=parameters)
