"""What is asked, and of whom: the options that every command has which asks a model."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Literal

import attrs
import rich_click as click

from streamkit.cli.groups import group
from streamkit.cli.question import as_question, read_parameters, read_prompt

if TYPE_CHECKING:
    from streamkit.pipeline import Pipeline
    from streamkit.request import Message
    from streamkit.sources import Endpoint, Serverless, Timeouts

APIS: Final = ("auto", "tgi", "chat", "completions", "ollama")


@attrs.frozen(kw_only=True)
class Whom:
    """The options that say whom to ask, and how; a field is what its option says, and `None` or empty without it."""

    endpoint: str | None
    model: str | None
    pipeline_file: str | None
    api: Literal["auto", "tgi", "chat", "completions", "ollama"] | None
    provider: str | None
    token_env: str | None
    chat: bool
    system: str | None
    settings: Sequence[str]
    retries: int | None
    load_timeout: float | None
    timeout: float | None
    first_token_timeout: float | None
    token_timeout: float | None

    def asked(self, prompt: str) -> str | list[Message]:
        """Return a prompt as it is to be asked: as it is, or as a conversation."""
        return as_question(prompt, chat=self.chat, system=self.system)

    def parameters(self) -> dict[str, Any]:
        """Return the generation parameters.

        Raises:
            click.BadParameter: One is not `name=value`.
        """
        return read_parameters(self.settings)

    def pipeline(self) -> Pipeline:
        """Return the pipeline of the file, or one of the source alone, observed by the installed plugins.

        Raises:
            click.UsageError: The options name no source, or two.
            ConfigurationError: An option or the file is wrong.
        """
        from streamkit.host import Host
        from streamkit.pipeline import Pipeline

        pipeline = Pipeline(self._source()) if self.pipeline_file is None else self._described(self.pipeline_file)
        if self.retries is not None or self.load_timeout is not None:
            from streamkit.sources import Retry

            attempts = 1 + (self.retries or 0)
            source = Retry(pipeline.source, attempts=attempts, load_timeout=self.load_timeout or 0.0)
            pipeline = pipeline.evolve(source=source)
        return pipeline.evolve(host=Host.default())

    def _described(self, path: str) -> Pipeline:
        from streamkit.pipeline import Pipeline

        named = ("endpoint", "model", "api", "provider", "token_env", *_TIMEOUTS)
        for name in named:
            if getattr(self, name) is not None:
                raise click.UsageError(f"--pipeline describes the source: leave out --{name.replace('_', '-')}.")
        return Pipeline.from_config(path)

    def _source(self) -> Endpoint | Serverless:
        from streamkit.sources import Endpoint, Serverless

        token, timeouts = self._token(), self._timeouts()
        if self.endpoint is not None:
            if self.provider is not None:
                raise click.UsageError("--provider goes with --model alone; --endpoint is asked directly.")
            return Endpoint(self.endpoint, model=self.model, api=self.api or "auto", token=token, timeouts=timeouts)
        if self.model is None:
            raise click.UsageError("Which model? Give --endpoint URL or --model ID, or try `streamkit demo`.")
        if self.api is not None:
            raise click.UsageError("--api goes with --endpoint; models on the Hub are always asked by chat.")
        return Serverless(self.model, provider=self.provider or "auto", token=token, timeouts=timeouts)

    def _timeouts(self) -> Timeouts:
        from streamkit.sources import Timeouts

        given = {limit: getattr(self, name) for name, limit in _TIMEOUTS.items()}
        return Timeouts(**{limit: seconds for limit, seconds in given.items() if seconds is not None})

    def _token(self) -> str | None:
        if self.token_env is None:
            return None
        token = os.environ.get(self.token_env)
        if not token:
            raise click.BadParameter(
                f"the environment variable {self.token_env} is not set.", param_hint="'--token-env'"
            )
        return token


@attrs.frozen(kw_only=True)
class Asking(Whom):
    """The options of a command that asks once: those of `Whom`, and the prompt."""

    prompt: str | None

    def question(self) -> str | list[Message]:
        """Return the question.

        Raises:
            click.UsageError: There is none.
        """
        return self.asked(read_prompt(self.prompt))

    def pipeline(self) -> Pipeline:
        """Return the pipeline, which says on stderr what became of failed tries; see `Whom.pipeline`."""
        from streamkit.cli.tries import Tries

        return super().pipeline().evolve(callbacks=[Tries()])


_TIMEOUTS: Final = {"timeout": "total", "first_token_timeout": "first_token", "token_timeout": "between_tokens"}
_SECONDS: Final = click.FloatRange(0, min_open=True)

_whom: Final = partial(click.option, panel="Whom to ask")
_what: Final = partial(click.option, panel="What to ask")
_wait: Final = partial(click.option, panel="How long to wait")

_WHOM: Final = (
    _whom("--endpoint", metavar="URL", help="The server to ask."),
    _whom("--model", metavar="ID", help="A model on the Hub, or the model of --endpoint where it has several."),
    _whom("--pipeline", "pipeline_file", metavar="FILE", help="A TOML file that describes source and chain."),
    _whom(
        "--api",
        type=click.Choice(APIS),
        metavar="NAME",
        help=f"How to ask --endpoint: {', '.join(APIS[1:])}.  [default: {APIS[0]}, found out]",
    ),
    _whom("--provider", metavar="NAME", help="The inference provider of --model.  [default: auto]"),
    _whom(
        "--token-env",
        metavar="NAME",
        help="Environment variable with the token.  [default: the saved Hugging Face login]",
    ),
    _what("--chat", is_flag=True, help="Ask as the user of a conversation."),
    _what("--system", metavar="TEXT", help="Message of the system; implies --chat."),
    _what("--param", "settings", multiple=True, metavar="K=V", help="Generation parameter: max_new_tokens=64."),
    _wait("--retries", type=click.IntRange(0), metavar="N", help="Ask again, so many times, before the first token."),
    _wait("--load-timeout", type=click.FloatRange(0), metavar="SECONDS", help="Wait for a model that is loading."),
    _wait("--timeout", type=_SECONDS, metavar="SECONDS", help="Limit of the whole answer.  [default: 3600]"),
    _wait("--first-token-timeout", type=_SECONDS, metavar="SECONDS", help="Limit until it begins.  [default: 120]"),
    _wait("--token-timeout", type=_SECONDS, metavar="SECONDS", help="Limit from token to token.  [default: 60]"),
)

asks = group(Asking, "asking", click.argument("prompt", required=False), *_WHOM)
"""Gives a command the options of `Asking`, as `asking`."""

asks_each = group(Whom, "whom", *_WHOM)
"""Gives a command the options of `Whom`, as `whom`."""
