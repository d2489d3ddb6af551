"""The shapes: what a source, a transform, a format and a sink must be able to do.

These are structural types: a class fits by having the methods, without inheriting anything. Nothing here is checked
per token. The only base class is `Composable`, which gives a source the `|` operator.

    bytes -> Decoder -> events -> Machines -> events -> sinks
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeAlias

from streamkit.errors import StreamkitError
from streamkit.events import Event
from streamkit.request import Request

if TYPE_CHECKING:
    from streamkit.pipeline import Pipeline
    from streamkit.result import RunResult

Batch: TypeAlias = Sequence[Event]
"""Events that arrived together, in order; a source yields one batch for each thing it reads."""

Mask: TypeAlias = Callable[[Exception], str]
"""What a client is told of an error."""


class Machine(Protocol):
    """The state of one transform in one run. It does no I/O and never awaits.

    The engine keeps two promises: `feed` never gets a `Finish`, and after `flush`, or after the machine itself has
    returned a `Finish`, neither method is called again.
    """

    def feed(self, event: Event) -> Sequence[Event]:
        """Take one event and return what leaves, in order: a tuple or list, never a generator.

        Events that the machine does not care for are returned as they are. To end the stream early (a stop
        sequence is complete), end the returned sequence with a `Finish`.

        Args:
            event: A `Token` or another event; never a `Finish`.

        Returns:
            The events that leave now; empty while text is held back.
        """
        ...

    def flush(self) -> Sequence[Event]:
        """The source has ended: return what was held back.

        Returns:
            The remaining events, in order.
        """
        ...


class WatchfulMachine(Machine, Protocol):
    """A machine that tells what it watches for, so that the engine need not feed it the rest.

    A chain of such machines lets most text go around it at the price of one test, however many machines there are.
    """

    def triggers(self) -> frozenset[str] | None:
        """Return the characters that matter in the present state; asked after events that were fed, not before each.

        Returns:
            The characters: a plain token (on the channel `"text"`, neither `special` nor `cont`) without any of them
            would be returned as it is and change nothing, so it is not fed. `None`: every event must be fed.
        """
        ...


class Transform(Protocol):
    """A frozen recipe for a `Machine`: reusable, comparable, printable, shared by concurrent runs.

    A transform may also have a method `prepare(request) -> Request`. It is called before a run, last transform
    first (the request climbs the chain towards the source), and may add hints for the server or remove hints that
    would not be right at its place in the chain.
    """

    def start(self) -> Machine:
        """Return the machine of a new run."""
        ...


class Decoder(Protocol):
    """The state of reading one response: bytes in, events out, errors kept as state.

    Attributes:
        complete: True once the protocol's own end mark was seen.
        error: What is wrong with the stream, once something is; nothing is decoded after it.
    """

    complete: bool
    error: StreamkitError | None

    def feed(self, chunk: bytes) -> Sequence[Event]:
        """Take a chunk, however it was cut, and return the events it completes."""
        ...

    def flush(self, *, clean: bool = True) -> Sequence[Event]:
        """The body has ended: return the last events, with `Finish` last if the stream is complete.

        Without the protocol's end mark, `error` is a `TruncatedStreamError` afterwards.

        Args:
            clean: False when the connection broke: a last event without its blank line is then dropped, not read.
        """
        ...


class Encoder(Protocol):
    """The state of writing one response: events in, bytes out. It owns the beginning and every ending.

    The bytes of `begin` come first, those of `close` last, and each method's bytes are whole messages of the protocol,
    so that a keep-alive may stand between any two.

    Attributes:
        headers: What the protocol wants in the head of the response, the content type included; names in lower case.
        keep_alive: Bytes that say nothing; empty where the protocol has none.
    """

    headers: ClassVar[Mapping[str, str]]
    keep_alive: ClassVar[bytes]

    def begin(self) -> bytes:
        """Return what comes before the first event."""
        ...

    def feed(self, event: Event) -> bytes:
        """Take an event that left the chain, and return what to send now; nothing for what the protocol cannot say."""
        ...

    def close(self, result: RunResult) -> bytes | None:
        """The run has ended, in whatever way: close what is open, say how it ended, and end the protocol.

        Returns:
            The last bytes; `None` where the protocol cannot say that this is no good end, so that the connection must
            be broken.
        """
        ...

    def refuse(self, error: Exception) -> tuple[str, bytes]:
        """Return the content type and the body of a response that is an error from its first byte on."""
        ...


class Format(Protocol):
    """A wire dialect: a frozen recipe for decoders and encoders."""

    @property
    def content_type(self) -> str:
        """The media type of its responses."""
        ...

    def decoder(self) -> Decoder:
        """Return the decoder of a new response."""
        ...

    def encoder(self, *, mask: Mask = ...) -> Encoder:
        """Return the encoder of a new response; a format may take options of its own besides.

        Args:
            mask: What to tell the client of an error; by default nothing.

        Raises:
            ConfigurationError: The format is only read.
        """
        ...


class Source(Protocol):
    """Where tokens come from, read by the synchronous driver."""

    def open(self, request: Request) -> AbstractContextManager[Iterator[Batch]]:
        """Ask the question; the context manager yields an iterator of batches and frees everything on exit.

        Args:
            request: The question, with parameters and stop hints.

        Returns:
            A context manager around an iterator of batches; nothing is sent before it is entered.

        Raises:
            ConfigurationError: The request cannot be put to this source.
        """
        ...


class AsyncSource(Protocol):
    """Where tokens come from, read by the asynchronous driver."""

    def aopen(self, request: Request) -> AbstractAsyncContextManager[AsyncIterator[Batch]]:
        """Ask the question; the asynchronous twin of `Source.open`."""
        ...


class Writer(Protocol):
    """The state of one sink in one run. Both drivers call it, so it must not block for long."""

    def write(self, event: Event) -> None:
        """Take one event that left the chain; the last one is the `Finish`, if the answer got that far."""
        ...

    def close(self, result: RunResult) -> None:
        """The run has ended, in whatever way; called exactly once."""
        ...


class AsyncWriter(Protocol):
    """A writer that awaits; only the asynchronous driver can use it."""

    async def awrite(self, event: Event) -> None:
        """Take one event that left the chain."""
        ...

    async def aclose(self, result: RunResult) -> None:
        """The run has ended, in whatever way; called exactly once."""
        ...


class Sink(Protocol):
    """Where events go: a frozen recipe for a `Writer`, shared by concurrent runs as a transform is.

    A sink may have an attribute `isolated`; where it is true, the sink's failures are logged and the run goes on.
    """

    def open(self, request: Request) -> Writer:
        """Return the writer of a new run.

        Args:
            request: The question of the run, for a sink that keeps it or names a file by it.
        """
        ...


class AsyncSink(Protocol):
    """A sink that awaits; the synchronous driver refuses it at the start of a run."""

    def aopen(self, request: Request) -> AsyncWriter:
        """Return the writer of a new run; the asynchronous twin of `Sink.open`."""
        ...


Stage: TypeAlias = Transform | Sink | AsyncSink
"""What may stand behind a source."""


class Composable:
    """Base class that gives a source the `|` operator: `source | transform | sink`."""

    __slots__ = ()
    _pipeline: ClassVar[Callable[[Any], Any]]  # set by streamkit.pipeline, which stands above this floor

    @property
    def made_of(self) -> tuple[Source | AsyncSource, ...]:
        """The sources that this one asks; a driver that one of them does not work with is refused at the start."""
        return ()

    def __or__(self, stage: Stage | Iterable[Stage]) -> Pipeline:
        """Compose a pipeline of this source and a transform, a sink, or several of them."""
        pipeline: Pipeline = type(self)._pipeline(self) | stage
        return pipeline


def every_source(source: Any) -> Iterator[Any]:
    """Return a source and, after it, all that it is made of, whatever they are made of included."""
    yield source
    for inner in getattr(source, "made_of", ()):
        yield from every_source(inner)
