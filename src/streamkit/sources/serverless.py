"""A model on the Hub through Hugging Face's Inference Providers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import Any, Final, Literal

import attrs

from streamkit.errors import ConfigurationError
from streamkit.protocols import Batch, Composable
from streamkit.request import Request
from streamkit.sources._credentials import Secret, conceal
from streamkit.sources.endpoint import ROUTER_HOST, Endpoint
from streamkit.sources.timeouts import Timeouts

ROUTER: Final = f"https://{ROUTER_HOST}/v1"
"""The documented OpenAI-compatible route of Inference Providers."""


def _check_model(_: object, __: object, model: Any) -> None:
    if not isinstance(model, str) or not model.strip() or "://" in model:
        raise ConfigurationError(f"{model!r} is not a model on the Hub: write it as owner/name, or use Endpoint(url)")


@attrs.frozen
class Serverless(Composable):
    """A model on the Hub, served by a provider that the router picks or that you name.

    Providers serve conversations, so a prompt is sent as one user message. The token saved by `hf auth login` is
    used unless another is passed.

    Args:
        model: The model's id on the Hub, `owner/name`.
        provider: A provider's name (`groq`, `together`, ...), a policy (`fastest`, `cheapest`, `preferred`), or
            `auto` for the router's choice.
        token: A Hugging Face token.
        bill_to: The organization that pays.
        timeouts: How long to wait.
        router: The base URL of the route.

    Raises:
        ConfigurationError: The model is no model id.
    """

    model: str = attrs.field(validator=_check_model)
    provider: str = attrs.field(default="auto", kw_only=True)
    token: Secret | Literal[False] | None = attrs.field(default=None, converter=conceal, repr=False, kw_only=True)
    bill_to: str | None = attrs.field(default=None, kw_only=True)
    timeouts: Timeouts = attrs.field(factory=Timeouts, kw_only=True)
    router: str = attrs.field(default=ROUTER, kw_only=True)

    def open(self, request: Request) -> AbstractContextManager[Iterator[Batch]]:
        """Ask the question; see `Source.open`."""
        return self._endpoint().open(request)

    def aopen(self, request: Request) -> AbstractAsyncContextManager[AsyncIterator[Batch]]:
        """Ask the question; see `AsyncSource.aopen`."""
        return self._endpoint().aopen(request)

    def _endpoint(self) -> Endpoint:
        return Endpoint(
            self.router,
            token=self.token,
            model=self.model if self.provider == "auto" else f"{self.model}:{self.provider}",
            api="chat",
            headers={} if self.bill_to is None else {"X-HF-Bill-To": self.bill_to},
            timeouts=self.timeouts,
        )
