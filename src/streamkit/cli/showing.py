"""How an answer is shown: the options that every command has which shows one as it comes."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Literal

import attrs
import rich_click as click

from streamkit.cli.failures import pipe_closed
from streamkit.cli.groups import group

if TYPE_CHECKING:
    from streamkit.drivers.asynchronous import AsyncStream
    from streamkit.drivers.sync import Stream
    from streamkit.pipeline import Pipeline
    from streamkit.protocols import AsyncSink, Sink
    from streamkit.request import Message
    from streamkit.result import RunResult


@attrs.frozen(kw_only=True)
class Showing:
    """The options of a command that shows an answer."""

    show: Literal["text", "tokens"] = "text"
    as_json: bool = False
    raw: bool = False
    save: str | None = None

    def check(self) -> None:
        """Refuse what does not go together.

        Raises:
            click.UsageError: The options contradict each other, or would let the model control the terminal.
        """
        if sum((self.as_json, self.raw, self.show == "tokens")) > 1:
            raise click.UsageError("Of --json, --raw and --show tokens, take one.")
        if self.raw and sys.stdout.isatty():
            raise click.UsageError("With --raw, the model could control this terminal: write to a file or a pipe.")

    def answer(self, pipeline: Pipeline, question: str | Sequence[Message], parameters: dict[str, Any]) -> None:
        """Stream the answer; whatever ends it, how it ended is said after what there is of it.

        Args:
            pipeline: Whom to ask; a console among its sinks gives way to what the options say.
            question: The question.
            parameters: Generation parameters.
        """
        from streamkit.cli.driving import must_await

        pipeline = pipeline.evolve(sinks=self._sinks(pipeline))
        if must_await(pipeline):
            import asyncio

            asyncio.run(self._aread(pipeline.astream(question, **parameters)))
        else:
            self._read(pipeline.stream(question, **parameters))

    def _read(self, stream: Stream) -> None:
        try:
            with stream:
                stream.finish()
        finally:
            self._close(stream.result)

    async def _aread(self, stream: AsyncStream) -> None:
        try:
            async with stream:
                await stream.finish()
        finally:
            self._close(stream.result)

    def _sinks(self, pipeline: Pipeline) -> list[Sink | AsyncSink]:
        from streamkit.cli.token_lines import print_token
        from streamkit.sinks import Callback, Console, TextFile

        sinks = [sink for sink in pipeline.sinks if not isinstance(sink, Console)]
        if self.save is not None:
            sinks.append(TextFile(self.save))
        if self.show == "tokens":
            sinks.append(Callback(print_token, on="event"))
        elif not self.as_json:
            sinks.append(Console(raw=self.raw))
        return sinks

    def _close(self, result: RunResult) -> None:
        from streamkit.cli.closing_line import closing_line

        if self.as_json:
            _write_json(result)
        if result.tokens and not pipe_closed(result.error):
            click.secho(closing_line(result), err=True, dim=True)


_option: Final = partial(click.option, panel="How it is shown")

shows = group(
    Showing,
    "showing",
    _option(
        "--show",
        type=click.Choice(("text", "tokens")),
        default="text",
        help="The text, or a line for each of the tokens.  [default: text]",
    ),
    _option("--json", "as_json", is_flag=True, help="Write the result as one JSON object when it is complete."),
    _option("--raw", is_flag=True, help="Do not show control characters as symbols; not on a terminal."),
    _option("--save", metavar="FILE", help="Keep the text in a new file, too."),
)
"""Gives a command the options of `Showing`, as `showing`."""


def _write_json(result: RunResult) -> None:
    from streamkit.sinks.records import encode_result
    from streamkit.sinks.terminal import neutralise, write_encodable

    line = encode_result(result)
    if sys.stdout.isatty():  # JSON escapes some of the characters that a terminal obeys, not all
        write_encodable(sys.stdout, neutralise(line.decode()))
    else:
        sys.stdout.buffer.write(line)
    sys.stdout.flush()
